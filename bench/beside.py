"""The gateway of this checkout beside that of another one: what a change costs or saves, on however noisy a machine.

    python -m bench.beside CHECKOUT [--rounds 24] [--seconds 0.7] [--cells "whole x16,stream x16"] [--json]

Run from this checkout; CHECKOUT is another work tree of the project with a `.venv` of its own (`make test` makes one),
so that neither runs the other's code. Both gateways stand all the time, with a router of the same made outcomes each,
and are loaded in turns for short whiles; ratios are taken within a round, their intervals are bootstrapped over rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.rounds import PLAIN, Cell, Table, interleaved
from bench.served import ROOT
from bench.targets import Target, start_mock
from bench.tenbin_gateway import AUTO_MODEL, PINNED_MODEL, start_tenbin

SIDES = ("here", "there")
MODELS = {"routed": AUTO_MODEL, "pinned": PINNED_MODEL}
FIGURES = {"cpu_ms": "processor time a request", "rps": "requests per second", "latency_p50_ms": "p50"}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("checkout", type=Path)
    made.add_argument("--rounds", type=int, default=24)
    made.add_argument("--seconds", type=float, default=0.7, help="of each measurement")
    made.add_argument("--cells", default="whole x16,stream x16", help=f"of {', '.join(c.name for c in PLAIN)}")
    made.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    return made


def commit_of(checkout: Path) -> str:
    """The commit that stands there, with a + where files differ from it."""
    told = [
        subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, check=False).stdout.strip()
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain"])
    ]
    return f"{told[0]}+" if told[1] else told[0]


def runs_its_own(checkout: Path) -> bool:
    """Whether the environment of a checkout runs the code of that checkout."""
    asked = [checkout / ".venv/bin/python", "-c", "import tenbin; print(tenbin.__file__)"]
    try:
        found = subprocess.run(asked, cwd=checkout, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return Path(found.strip()).is_relative_to(checkout)


def started(checkout: Path, folder: Path, stack: ExitStack) -> dict[str, list[Target]]:
    """Both gateways in front of one upstream, as targets by what is asked of them; the stack stops them."""
    mock = start_mock(folder)
    stack.callback(mock.stop)
    targets: dict[str, list[Target]] = {kind: [] for kind in MODELS}
    for side, place in zip(SIDES, (ROOT, checkout), strict=True):
        own = folder / side
        own.mkdir()
        gateway = start_tenbin(own, mock, checkout=place)
        stack.callback(gateway.served.stop)
        for kind, model in MODELS.items():
            targets[kind].append(Target(side, gateway.served, model, gateway.key))
    return targets


def lines(tables: dict[str, Table], cells: Sequence[Cell]) -> Iterator[str]:
    """The table in Markdown: figures of this checkout over the other's, and both in milliseconds."""
    heads = " | ".join(f"{name}, here / there" for name in FIGURES.values())
    yield f"| asked | load | {heads} | CPU ms, here and there |"
    yield "|---|---|---|---|---|---|"
    for kind, table in tables.items():
        for cell in cells:
            ratios = [table.ratio(cell.name, *SIDES, figure) for figure in FIGURES]
            shown = " | ".join("{:.3f} [{:.3f}, {:.3f}]".format(*ratio) for ratio in ratios)
            both = ", ".join(f"{table.median(cell.name, side, 'cpu_ms'):.3f}" for side in SIDES)
            yield f"| {kind} | {cell.name} | {shown} | {both} |"


def main() -> int:
    """Measure and print; 1 where a request failed."""
    given = parser().parse_args()
    checkout = given.checkout.resolve()
    for place in (ROOT, checkout):
        if not runs_its_own(place):
            sys.exit(f"{place} has no .venv that runs its own code: run `make test` there first")
    wanted = [name.strip() for name in given.cells.split(",")]
    cells = [cell for cell in PLAIN if cell.name in wanted]
    if not cells:
        sys.exit(f"no load is named {given.cells}: take {', '.join(cell.name for cell in PLAIN)}")
    with tempfile.TemporaryDirectory(prefix="tenbin-bench-") as folder, ExitStack() as stack:
        targets = started(checkout, Path(folder), stack)
        tables = {}
        for kind, both in targets.items():
            tables[kind] = interleaved(both, cells, given.rounds, given.seconds, skip=frozenset())
    commits = {side: commit_of(place) for side, place in zip(SIDES, (ROOT, checkout), strict=True)}
    errors = [error for table in tables.values() for error in table.errors()]
    if given.json:
        ratios = {
            kind: {cell.name: {f: table.ratio(cell.name, *SIDES, f) for f in FIGURES} for cell in cells}
            for kind, table in tables.items()
        }
        print(json.dumps({"commits": commits, "rounds": given.rounds, "here_over_there": ratios, "errors": errors}))
    else:
        print(f"here {commits['here']}, there {commits['there']}; {given.rounds} rounds of {given.seconds:g} s\n")
        print("\n".join([*lines(tables, cells), *errors]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
