"""Memory under load: 100,000 requests, every tenth a stream that its client leaves after the first frame.

    python -m bench.memory [--requests 100000] [--connections 32] [--target tenbin|floor] [--json]

The resident memory of the server is read after each block of requests. Judged are the last reading (at most 180 MB) and
the slope over the second half of the blocks: flat means that it lies under 1 MB per 10,000 requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import uvloop

from bench.load import Client, Load, Run
from bench.process_cost import rss_mb
from bench.prompts import Bodies
from bench.targets import Target, start_floor, start_mock
from bench.tenbin_gateway import AUTO_MODEL, start_tenbin

BLOCKS = 20
LEAVE_EVERY, STREAM_EVERY = 10, 5
LIMIT_MB, LIMIT_SLOPE_MB = 180.0, 1.0


class Visitor(Client):
    """A connection that mixes whole answers with streams, and leaves some of those after the first frame."""

    run: Block

    def send(self) -> None:
        if self.run.number >= self.run.goal:
            self.run.is_over = True
        else:
            self.run.number += 1
            self.leaves = self.run.number % LEAVE_EVERY == 0
            self.run.turn = "left" if self.leaves else "stream" if self.run.number % STREAM_EVERY == 1 else "whole"
        super().send()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.leaves and self.transport is not None:
            self.is_waiting = False
            self.transport.abort()

    def on_message_complete(self) -> None:
        if not self.leaves:  # else the rest of the stream came with the frame at which it left
            super().on_message_complete()


class Block(Run):
    """So many requests over all connections."""

    def __init__(self, load: Load, goal: int) -> None:
        super().__init__(load)
        self.goal, self.number, self.turn = goal, 0, "whole"
        self.kinds = {
            kind: iter(Bodies(load.model, stream=kind != "whole", paced=kind == "left", seed=load.seed + k, pool=500))
            for k, kind in enumerate(("whole", "stream", "left"))
        }

    def client(self) -> Client:
        return Visitor(self)

    def request(self) -> bytes:
        self.bodies = self.kinds[self.turn]
        return super().request()

    async def whole(self) -> dict[str, int]:
        """Send them all; the errors by kind."""
        for _ in range(self.load.connections):
            self.connect()
        await self.finished.wait()
        return self.tally.errors


def slope_mb(readings: list[tuple[int, float]]) -> float:
    """MB per 10,000 requests over the second half of the readings, by least squares."""
    half = readings[len(readings) // 2 :]
    requests, megabytes = np.array(half).T
    return float(np.polyfit(requests, megabytes, 1)[0]) * 10_000


def start(name: str, folder: Path, stack: ExitStack) -> Target:
    """The target under test; the stack stops it."""
    mock = start_mock(folder)
    stack.callback(mock.stop)
    if name == "floor":
        served, model, key = start_floor(folder, mock), "bench", "sk-bench"
    else:
        gateway = start_tenbin(folder, mock)
        served, model, key = gateway.served, AUTO_MODEL, gateway.key
    stack.callback(served.stop)
    return Target(name, served, model, key)


def main() -> int:
    """Load it block by block, print the readings, end with 1 where memory grows or an answer failed."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--requests", type=int, default=100_000)
    made.add_argument("--connections", type=int, default=32)
    made.add_argument("--target", choices=("tenbin", "floor"), default="tenbin")
    made.add_argument("--json", action="store_true")
    given = made.parse_args()
    began, readings, errors = time.monotonic(), [], dict[str, int]()
    with tempfile.TemporaryDirectory(prefix="tenbin-bench-") as folder, ExitStack() as stack:
        target = start(given.target, Path(folder), stack)
        readings.append((0, rss_mb(target.served.pids)))
        for number in range(BLOCKS):
            port, key = target.served.port, target.key
            load = Load(port, target.model, given.connections, 0, key=key, seed=number * 10)
            found = uvloop.run(block(load, given.requests // BLOCKS))
            errors |= {kind: errors.get(kind, 0) + n for kind, n in found.items()}
            readings.append(((number + 1) * given.requests // BLOCKS, rss_mb(target.served.pids)))
            print(f"{readings[-1][0]:8,} requests: {readings[-1][1]:.1f} MB", file=sys.stderr)
    last, slope = readings[-1][1], slope_mb(readings)
    holds = last <= LIMIT_MB and slope <= LIMIT_SLOPE_MB and not errors
    if given.json:
        print(json.dumps({"readings": readings, "slope_mb": slope, "errors": errors, "holds": holds}))
    else:
        print(f"{given.target}: {readings[0][1]:.1f} MB at the start, {last:.1f} MB after {given.requests:,} requests")
        print(
            f"slope of the second half: {slope:+.2f} MB per 10,000; errors {errors}; {time.monotonic() - began:.0f} s"
        )
        print("holds" if holds else f"MISSED: at most {LIMIT_MB:g} MB, {LIMIT_SLOPE_MB:g} MB per 10,000, no errors")
    return 0 if holds else 1


async def block(load: Load, goal: int) -> dict[str, int]:
    """One block of requests."""
    run = Block(load, goal)
    async with asyncio.timeout(600):
        return await run.whole()


if __name__ == "__main__":
    sys.exit(main())
