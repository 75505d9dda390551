"""Workers killed at any moment: what `record` has called durable is there once, open calls become unknown."""

import asyncio
import os
import signal
import sqlite3
import time

import numpy as np
import pytest

from tenbin.store.mending import mend
from tests.store.made import fork, intent, running, settled


def write_for_ever(folder, worker, say):
    """Write calls, several at a time, and say on a pipe what is durable: `i` an intent, `s` a settlement."""

    async def one(ledger, name):
        assert await ledger.record(intent(name))
        os.write(say, f"i {name}\n".encode())
        assert await ledger.record(settled(name))
        os.write(say, f"s {name}\n".encode())

    async def caller(ledger, n):
        i = 0
        while True:
            await one(ledger, f"{worker}-{os.getpid()}-{n}-{i}")
            i += 1

    async def run():
        async with running(folder, worker) as ledger:
            await asyncio.gather(*(caller(ledger, n) for n in range(4)))

    asyncio.run(run())


def test_fifty_kills_lose_and_double_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.writer.SEGMENT_BYTES", 8_000)
    monkeypatch.setattr("tenbin.store.applier.APPLY_EVERY_S", 0.005)
    dice = np.random.default_rng(7)
    said = {"i": set(), "s": set()}
    lives = 0
    while lives < 25 or (len(said["s"]) <= 500 and lives < 250):  # on a busy machine a life is short
        lives += 1
        # Two workers at once, and each finds what the ones before it have left.
        ends = [os.pipe() for _ in range(2)]
        children = [fork(lambda w=w, end=end: write_for_ever(tmp_path, f"w{w}", end[1])) for w, end in enumerate(ends)]
        for _, end in ends:
            os.close(end)
        time.sleep(dice.uniform(0.02, 0.2))
        for child in children:
            os.kill(child, signal.SIGKILL)
            time.sleep(dice.uniform(0.0, 0.02))
        for child, (end, _) in zip(children, ends, strict=True):
            os.waitpid(child, 0)
            with os.fdopen(end) as pipe:
                for line in pipe:
                    if line.endswith("\n"):
                        kind, name = line.split()
                        said[kind].add(name)
    mend(tmp_path)
    link = sqlite3.connect(tmp_path / "ledger.sqlite")
    calls = {row[0]: row[1:] for row in link.execute("SELECT request_id, status, billed_usd FROM calls")}
    assert len(said["s"]) > 500
    assert link.execute("SELECT count(*) FROM calls").fetchone()[0] == len(calls)
    assert said["i"] <= set(calls)
    assert all(calls[name] == ("ok", 0.01) for name in said["s"])
    assert {status for status, _ in calls.values()} == {"ok", "unknown"}
    assert all(billed == 0.25 for status, billed in calls.values() if status == "unknown")
    added_up = link.execute("SELECT total(usd) FROM spending").fetchone()[0]
    assert added_up == pytest.approx(sum(billed for _, billed in calls.values()))
    assert link.execute("SELECT count(*) FROM journals").fetchone()[0] == 0
    assert not list((tmp_path / "journal").iterdir())
