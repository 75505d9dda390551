"""Rounds: every cell of the table is measured for all targets in turn, again and again: drift hits all alike."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.late import Decisions
from bench.served import LOAD_CORE, ROOT, pinned
from bench.targets import Target

Result = Mapping[str, float | int | dict[str, int] | None]
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of loading: how many connections, how answers are asked for."""

    connections: int
    mode: str

    @property
    def name(self) -> str:
        return f"{self.mode} x{self.connections}"


PLAIN = tuple(Cell(n, mode) for mode in ("whole", "stream") for n in (1, 16, 64))
CELLS = (*PLAIN, *(Cell(n, "paced") for n in (1, 16, 64, 512)))


@dataclass
class Table:
    """All results by cell and target, one per round."""

    results: dict[tuple[str, str], list[Result]] = field(default_factory=dict)

    def add(self, cell: Cell, target: Target, result: Result) -> None:
        self.results.setdefault((cell.name, target.name), []).append(result)

    def values(self, cell: str, target: str, figure: str) -> np.ndarray:
        """One figure of every round; empty where it was not measured."""
        found = [result.get(figure) for result in self.results.get((cell, target), ())]
        return np.array([value for value in found if value is not None], dtype=float)

    def median(self, cell: str, target: str, figure: str) -> float:
        values = self.values(cell, target, figure)
        return float(np.median(values)) if len(values) else float("nan")

    def worst(self, cell: str, target: str, figure: str) -> float:
        values = self.values(cell, target, figure)
        return float(values.max()) if len(values) else float("nan")

    def ratio(
        self, cell: str, over: str, under: str, figure: str, *, minus: str | None = None
    ) -> tuple[float, float, float]:
        """The median over rounds of the ratio within a round, and its 95 % interval by bootstrap over rounds.

        `minus` names a target whose figure is taken off both: what the two add to it.
        """
        names = (over, under) if minus is None else (over, under, minus)
        columns = [self.values(cell, name, figure) for name in names]
        n = min(map(len, columns))
        if not n:
            return (float("nan"),) * 3
        above, below = columns[0][:n], columns[1][:n]
        base = columns[2][:n] if minus is not None else 0.0
        ratios = (above - base) / (below - base)
        rng = np.random.default_rng(0)
        drawn = np.median(ratios[rng.integers(n, size=(DRAWS, n))], axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        return float(np.median(ratios)), float(low), float(high)

    def errors(self) -> Iterator[str]:
        """Every kind of error by cell and target."""
        for (cell, target), results in self.results.items():
            for result in results:
                errors = result["errors"]
                for kind, n in errors.items() if isinstance(errors, dict) else ():
                    yield f"{cell}, {target}: {n} x {kind}"


def measure(target: Target, cell: Cell, seconds: float, seed: int) -> Result:
    """One measurement by a load generator of its own process."""
    asked = {
        "port": target.served.port,
        "model": target.model,
        "key": target.key,
        "connections": cell.connections,
        "seconds": seconds,
        "stream": cell.mode != "whole",
        "paced": cell.mode == "paced",
        "seed": seed,
        "pids": target.served.pids,
    }
    command = pinned([sys.executable, "-m", "bench.load", json.dumps(asked)], LOAD_CORE)
    before = None if target.admin_port is None else Decisions.read(target.admin_port)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"the load on {target.name} ({cell.name}) failed:\n{run.stderr[-2000:]}")
    result: Result = json.loads(run.stdout)
    if before is None or target.admin_port is None:
        return result
    return {**result, "late_share": Decisions.read(target.admin_port).late_share_since(before)}


def interleaved(
    targets: Sequence[Target], cells: Sequence[Cell], rounds: int, seconds: float, *, skip: frozenset[tuple[str, str]]
) -> Table:
    """All cells for all targets, `rounds` times; the order of targets turns by one each round.

    `skip` names (cell, target) pairs that are left out. Progress goes to stderr.
    """
    table, began, seed = Table(), time.monotonic(), 0
    for number in range(rounds):
        for cell in cells:
            turn = number % len(targets)
            for target in (*targets[turn:], *targets[:turn]):
                if (cell.name, target.name) not in skip:
                    seed += 1  # no prompt comes twice in a run
                    table.add(cell, target, measure(target, cell, seconds, seed))
        print(f"round {number + 1} of {rounds}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return table
