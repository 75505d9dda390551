"""How soon the gateway is ready: from the start of the process to the first 200 of GET /ready, several times.

python -m bench.start [--times 7] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.targets import start_mock
from bench.tenbin_gateway import start_tenbin

LIMIT_S = 2.0


def main() -> int:
    """Start it again and again; 1 where the median is over the limit."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--times", type=int, default=7)
    made.add_argument("--json", action="store_true")
    given = made.parse_args()
    taken = []
    with tempfile.TemporaryDirectory(prefix="tenbin-bench-") as name:
        folder = Path(name)
        mock = start_mock(folder)
        try:
            for _ in range(given.times):
                served = start_tenbin(folder, mock).served
                served.stop()
                taken.append(served.ready_s)
        finally:
            mock.stop()
    median = statistics.median(taken)
    if given.json:
        print(json.dumps({"ready_s": taken, "median_s": median, "holds": median <= LIMIT_S}))
    else:
        print(f"ready after {median:.2f} s (median of {given.times}; {min(taken):.2f} to {max(taken):.2f})")
        print("holds" if median <= LIMIT_S else f"MISSED: at most {LIMIT_S:g} s")
    return 0 if median <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
