"""How close a pilot's run comes to the time that its upstream needs, and whether its memory stays flat.

    python runs/pilot_load.py [--pairs 1000] [--more 10000] [--concurrency 64] [--answer-s 0.2]

`tenbin pilot run` in a process of its own buys `--pairs` answers from a fake upstream in this one that takes
`--answer-s` for each; ideal is pairs / concurrency x that time. The run with `--more` pairs shows the memory: its
resident size is read twice a second, and a straight line is laid through the second half. One JSON line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tenbin.testing import Answer, FakeUpstream
from tests.pilot.run.made import made, prompts


def resident_mb(pid: int) -> float | None:
    """The resident size of a process, None once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return None if line is None else int(line.split()[1]) / 1024


def bought(pairs: int, concurrency: int, answer_s: float) -> dict[str, float]:
    """Buy so many pairs; seconds of the run and of the whole command, megabytes at the end and per 1,000 pairs."""
    with tempfile.TemporaryDirectory() as name, FakeUpstream(Answer.slow(first_byte_s=answer_s), keep=1) as upstream:
        folder = Path(name)
        made(folder, upstream, asked=prompts(pairs), models=("big",), budget_usd=1e6, metric="exact")
        command = [sys.executable, "-m", "tenbin", "pilot", "run", "mine", "--root", str(folder / "pilots"), "--json"]
        began = time.monotonic()
        with subprocess.Popen([*command, "--concurrency", str(concurrency)], stdout=subprocess.PIPE) as process:
            at, sizes = [], []
            while process.poll() is None and (size := resident_mb(process.pid)) is not None:
                at.append(time.monotonic() - began)
                sizes.append(size)
                time.sleep(0.5)
            said = json.loads(process.communicate()[0])
        whole_s = time.monotonic() - began
    if said["bought"] != pairs:
        raise SystemExit(f"not everything was bought: {said}")
    half = len(at) // 2
    slope = float(np.polyfit(at[half:-1], sizes[half:-1], 1)[0]) if len(at) - half > 3 else float("nan")
    per_1000 = slope * said["elapsed_s"] / pairs * 1000
    return {"run_s": said["elapsed_s"], "command_s": whole_s, "rss_mb": max(sizes), "mb_per_1000_pairs": per_1000}


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--more", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--answer-s", type=float, default=0.2)
    arguments = parser.parse_args()
    ideal_s = arguments.pairs / arguments.concurrency * arguments.answer_s
    few = bought(arguments.pairs, arguments.concurrency, arguments.answer_s)
    said = {"ideal_s": ideal_s, "ratio": few["run_s"] / ideal_s, "few": few}
    if arguments.more:
        said["many"] = bought(arguments.more, arguments.concurrency, arguments.answer_s)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
