"""The gateway beside its floor, LiteLLM and the bare upstream: one command, one table, the issue's demands judged.

    python -m bench.gateway [--quick] [--rounds 5] [--seconds 2.5] [--only direct,floor,tenbin,pinned] [--json]

Run from the checkout. The load generator and the mock upstream share core 0, the target under load has core 1 (where
there are two cores and taskset); only one target is under load at a time. Every cell is measured for all targets in
turn, that again each round; ratios are taken within a round, their intervals are bootstrapped over rounds. LiteLLM is
installed from PyPI into a virtual environment in the temp folder. "pinned" is the same gateway asked for one model.
Beside the loads: how soon the gateway was ready, and how long a conversation of 200,000 tokens takes to decide.
Memory over 100,000 requests takes minutes: `python -m bench.memory`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.litellm_proxy import start_litellm, usual_folder, version
from bench.long import TIMES, TOKENS, measured
from bench.rounds import CELLS, Cell, Table, interleaved
from bench.served import ROOT
from bench.targets import Target, start_floor, start_mock
from bench.tenbin_gateway import AUTO_MODEL, PINNED_MODEL, start_tenbin
from bench.thresholds import alone, checks

ALL = ("direct", "floor", "litellm", "tenbin", "pinned")
SKIPPED = frozenset(
    {("paced x64", "litellm"), ("paced x512", "litellm"), *((f"paced x{n}", "pinned") for n in (1, 16, 64, 512))}
)
COLUMNS = (
    ("rps", "req/s", "{:,.0f}"),
    ("cpu_ms", "CPU ms", "{:.3f}"),
    ("latency_p50_ms", "p50 ms", "{:.2f}"),
    ("latency_p95_ms", "p95 ms", "{:.2f}"),
    ("latency_p99_ms", "p99 ms", "{:.2f}"),
    ("first_p50_ms", "first p50", "{:.2f}"),
    ("first_p95_ms", "first p95", "{:.2f}"),
    ("gap_p99_ms", "gap p99", "{:.2f}"),
    ("stall_ms", "stall ms", "{:.1f}"),
    ("lost_frames", "lost", "{:.0f}"),
    ("late_share", "late", "{:.1%}"),
    ("rss_mb", "RSS MB", "{:.0f}"),
)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--seconds", type=float, default=2.5, help="of each measurement")
    made.add_argument("--quick", action="store_true", help="two rounds of one second")
    made.add_argument("--only", default=",".join(ALL), help=f"targets, by comma, of {', '.join(ALL)}")
    made.add_argument("--cells", default="", help='cells, by comma, as "whole x16,paced x64"; all if missing')
    made.add_argument("--embedder", default="base", help="of Tenbin's router: base or wordllama")
    made.add_argument("--litellm", type=Path, default=usual_folder(), help="folder of LiteLLM's environment")
    made.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    return made


def started(names: Sequence[str], given: argparse.Namespace, folder: Path, stack: ExitStack) -> list[Target]:
    """The targets that were asked for, each ready; the stack stops them."""
    mock = start_mock(folder)
    stack.callback(mock.stop)
    made = [Target("direct", mock, "bench")] if "direct" in names else []
    if "floor" in names:
        floor = start_floor(folder, mock)
        stack.callback(floor.stop)
        made.append(Target("floor", floor, "bench"))
    if "litellm" in names:
        litellm = start_litellm(folder, mock, given.litellm)
        stack.callback(litellm.stop)
        made.append(Target("litellm", litellm, "bench"))
    if "tenbin" in names or "pinned" in names:
        gateway = start_tenbin(folder, mock, embedder=given.embedder)
        stack.callback(gateway.served.stop)
        both = (Target("tenbin", gateway.served, AUTO_MODEL, gateway.key, gateway.admin_port),)
        both += (Target("pinned", gateway.served, PINNED_MODEL, gateway.key),)
        made += [target for target in both if target.name in names]
    return made


def lines(table: Table, cells: Sequence[Cell], names: Sequence[str]) -> Iterator[str]:
    """The table in Markdown: medians over the rounds (stalls, lost frames, late: the worst), ratios to the floor."""
    heads = [head for _, head, _ in COLUMNS]
    yield f"| load | target | rps / floor | CPU / floor | {' | '.join(heads)} |"
    yield f"|---|---|{'---|' * (len(heads) + 2)}"
    for cell in cells:
        for name in names:
            if not len(table.values(cell.name, name, "rps")):
                continue
            shares = [with_interval(table.ratio(cell.name, name, "floor", key)) for key in ("rps", "cpu_ms")]
            shown = []
            for key, _, form in COLUMNS:
                pick = table.worst if key in ("stall_ms", "lost_frames", "late_share") else table.median
                value = pick(cell.name, name, key)
                shown.append("" if math.isnan(value) else form.format(value))
            yield f"| {cell.name} | {name} | {' | '.join([*shares, *shown])} |"


def with_interval(ratio: tuple[float, float, float]) -> str:
    """A ratio with its interval, empty where there is none."""
    return "" if math.isnan(ratio[0]) else "{:.3g} [{:.3g}, {:.3g}]".format(*ratio)


def provenance(given: argparse.Namespace, names: Sequence[str]) -> dict[str, object]:
    """Where and with what this was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "rounds": given.rounds,
        "seconds": given.seconds,
        "embedder": given.embedder,
        "litellm": version(given.litellm) if "litellm" in names else None,
    }


def main() -> int:
    """Measure, print, and end with 1 where a demand is missed."""
    given = parser().parse_args()
    if given.quick:
        given.rounds, given.seconds = 2, 1.0
    names = [name for name in ALL if name in given.only.split(",")]
    wanted = [name.strip() for name in given.cells.split(",") if name.strip()]
    cells = [cell for cell in CELLS if not wanted or cell.name in wanted]
    with tempfile.TemporaryDirectory(prefix="tenbin-bench-") as folder, ExitStack() as stack:
        targets = started(names, given, Path(folder), stack)
        ready = {target.name: target.served.ready_s for target in targets}
        table = interleaved(targets, cells, given.rounds, given.seconds, skip=SKIPPED)
        judged = [check for check in checks(table) if check.is_measured]
        for target in targets:
            if target.name == "tenbin":
                decided_ms, _ = measured(target.served.port, target.key, TIMES, TOKENS)
                judged += alone(target.served.ready_s, decided_ms)
    about = provenance(given, names)
    if given.json:
        results = [{"cell": cell, "target": name, "rounds": rows} for (cell, name), rows in table.results.items()]
        verdicts = [{**asdict(check), "holds": check.holds} for check in judged]
        print(json.dumps({"about": about, "ready_s": ready, "results": results, "checks": verdicts}, indent=1))
    else:
        print(", ".join(f"{key} {value}" for key, value in about.items()), end="\n\n")
        print("\n".join(lines(table, cells, names)), end="\n\n")
        print("\n".join(check.text() for check in judged))
        print("\n".join(f"error: {error}" for error in table.errors()))
    return 0 if all(check.holds for check in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
