"""kill -9 of a running pilot at random moments: what its journal still knows, beside what the upstream saw."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import read_journal
from tenbin.pilot.pair import Key
from tenbin.pilot.records import Bought, Record
from tenbin.pilot.standing import Standing
from tenbin.testing import Answer, FakeUpstream
from tests.pilot.run.made import made, prompts
from tests.pilot.run.troubled import Troubled

CONCURRENCY = 8
ANSWER_S = 0.03
READY_S = 60.0


class Slow(Troubled):
    """Every answer is right and takes a while; the bill is kept."""

    def answer(self, body: Mapping[str, Any], number: int) -> Answer:  # noqa: ARG002
        return Answer.slow(first_byte_s=ANSWER_S)


@dataclass(frozen=True, slots=True)
class Toll:
    """What so many kills did: calls that the upstream saw, pairs bought, calls without an end, pairs asked twice."""

    kills: int
    calls: int
    bought: int
    open_calls: int
    asked_again: int
    most_open_at_once: int
    spent_usd: float
    billed_usd: float


def kill_at_random(folder: Path, kills: int, seed: int, pairs: int) -> Toll:
    """Kill a run so many times, then let it end.

    Raises AssertionError where a bought answer is lost, changed or bought twice, where more pairs are asked again than
    calls were under way, or where what the upstream billed is not counted.
    """
    random, billing = Random(seed), Slow(seed, 0.0)  # noqa: S311
    kept: dict[Key, Bought] = {}
    most_open, open_before = 0, 0
    with FakeUpstream(billing, keep=1) as upstream:
        pilot = made(folder, upstream, asked=prompts(pairs // 2), budget_usd=1e6, metric="exact")
        for _ in range(kills):
            process = started(pilot)
            seen = upstream.received_count
            upstream.wait_until(lambda n=seen: upstream.received_count > n, "a first call", READY_S)  # type: ignore[misc]
            time.sleep(random.uniform(0.0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
            upstream.wait_idle()
            records = list(read_journal(pilot))
            kept = still_there(records, kept)
            open_now = len(Standing.of(records).open_calls)
            most_open, open_before = max(most_open, open_now - open_before), open_now
        last = started(pilot)
        assert last.wait(300) == 0
        records = list(read_journal(pilot))
        calls = upstream.received_count
    standing = Standing.of(records)
    kept = still_there(records, kept)
    billed_usd = sum(billing.billed_usd.values())
    assert len(kept) == 2 * (pairs // 2), "pairs are left"
    assert most_open <= CONCURRENCY
    assert calls - len(kept) <= len(standing.open_calls), "a call that the journal does not know"
    assert billed_usd <= standing.spent_usd + 1e-9, "a bill that is not counted"
    again = sum(n - 1 for n in billing.asked.values())
    return Toll(kills, calls, len(kept), len(standing.open_calls), again, most_open, standing.spent_usd, billed_usd)


def started(pilot: PilotFolder) -> subprocess.Popen[bytes]:
    """The run as a process of its own."""
    command = [sys.executable, "-m", "tenbin", "pilot", "run", pilot.name, "--root", str(pilot.path.parent)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [*command, "--concurrency", str(CONCURRENCY)], stdout=quiet, stderr=quiet, env=dict(os.environ)
    )


def still_there(records: list[Record], kept: dict[Key, Bought]) -> dict[Key, Bought]:
    """Every answer of the journal, having seen that no earlier one is gone, different, or there twice."""
    answers = [record for record in records if isinstance(record, Bought)]
    counts = Counter((it.query_id, it.model, it.repeat) for it in answers)
    assert max(counts.values(), default=0) <= 1, "bought twice"
    found = {(it.query_id, it.model, it.repeat): it for it in answers}
    for key, answer in kept.items():
        assert found.get(key) == answer, f"{key} is lost or changed"
    return found
