"""A pilot's budget and journal under fire: random failures, and kill -9 at random moments.

    python runs/pilot_chaos.py [--runs 200] [--kills 50] [--pairs 3000] [--seed 0]

Each of `--runs` pilots has a random budget, random limits and an upstream that fails at random in every way it can
(refusals, resets, cut streams, silence, no usage, broken HTTP), is run up to three times in a row and now and then
stopped; what the upstream bills by its own count may not exceed the budget, and no pair is bought twice. Then one
pilot is killed `--kills` times within 0.6 s of its first call: no bought answer may be lost, changed or there twice,
and what the upstream billed must be counted. A fault ends the run with an AssertionError; otherwise one JSON line says
how much was seen. Written for a checkout: the harness is that of `tests/pilot/run`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.pilot.run.killing import kill_at_random
from tests.pilot.run.troubled import ordeal


def main() -> None:
    """Run, kill, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()
    ordeals = [ordeal(arguments.seed + n) for n in range(arguments.runs)]
    said = {
        "pilots": len(ordeals),
        "runs": sum(it.runs for it in ordeals),
        "calls": sum(it.calls for it in ordeals),
        "failed_calls": sum(it.failed_calls for it in ordeals),
        "bought": sum(it.bought for it in ordeals),
        "ended": dict(Counter(it.ended for it in ordeals)),
        "most_of_budget_billed": max((it.billed_usd / it.budget_usd for it in ordeals), default=0.0),
        "most_of_budget_counted": max((it.spent_usd / it.budget_usd for it in ordeals), default=0.0),
    }
    toll = None
    if arguments.kills:
        with tempfile.TemporaryDirectory() as folder:
            toll = asdict(kill_at_random(Path(folder), arguments.kills, arguments.seed, arguments.pairs))
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({**said, "killed": toll, "seed": arguments.seed, "seconds": seconds}))


if __name__ == "__main__":
    main()
