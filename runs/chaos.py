"""kill -9 of a loaded gateway at random moments: what of its calls the ledger still knows.

    python runs/chaos.py [--kills 50] [--seed 8]

Each life of `tenbin serve` gets a dozen clients, half of them streaming, easy and hard questions to two candidates,
and a virtual key with a budget; it is killed between 20 and 500 ms into the load. After each death the ledger is
mended and compared with what the fake upstreams saw: every upstream call must be in it, settled or `unknown` at its
reserve, no settled row may change, go or come twice. A fault ends the run with an AssertionError; otherwise one JSON
line says how much was compared. Written for a checkout: the harness is that of `tests/gateway/chaos`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tenbin.store.keys import create_key
from tenbin.testing import Answer
from tests.gateway.chaos.killing import kill_under_load
from tests.gateway.running import Upstreams, written

CHUNK_GAP_S = 0.002


def main() -> None:
    """Kill, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=8)
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, Upstreams("cheap", "good") as ups:
        folder = Path(name)
        config = written(folder, ups, gateway='keys = "required"')
        secret, _ = create_key(folder / "store", "crowd", day_usd=1e6)
        ups["good"].script = Answer.slow(chunk_gap_s=CHUNK_GAP_S)
        toll = kill_under_load(config, folder / "store", ups, arguments.kills, arguments.seed, key=secret)
    print(json.dumps({**asdict(toll), "seed": arguments.seed, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
