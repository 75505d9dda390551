"""kill -9 under load, and what the ledger must still know: used by the test and by the recipe in `runs/`."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tenbin.store.call import Call
from tenbin.store.mending import mend
from tenbin.store.reader import Reader
from tests.gateway.chaos.processes import Crowd, tenbin_serve
from tests.gateway.running import Upstreams

CLIENTS = 12
Settled = dict[tuple[str, int], Call]


@dataclass(slots=True)
class Toll:
    """What several kills did."""

    kills: int = 0
    upstream_calls: int = 0
    answered: int = 0
    settled: int = 0
    unknown: int = 0


def kill_under_load(config: Path, store: Path, ups: Upstreams, kills: int, seed: int, *, key: str) -> Toll:
    """Start, load, kill at a random moment; after each death check the ledger. AssertionError where it is wrong."""
    moments = random.Random(seed)  # noqa: S311 (when to kill is no secret)
    toll = Toll()
    settled: Settled = {}
    for kill in range(kills):
        for fake in ups.fakes.values():
            fake.clear()
        answered = killed_once(config, f"k{kill}", moments.uniform(0.02, 0.5), key)
        mend(store)
        settled = checked(store, ups, f"k{kill}-", settled)
        toll.kills += 1
        toll.upstream_calls += len(ups.called())
        toll.answered += answered
    toll.settled = sum(call.status != "unknown" for call in settled.values())
    toll.unknown = len(settled) - toll.settled
    return toll


def killed_once(config: Path, name: str, seconds: float, key: str) -> int:
    """One life of the gateway; how many requests were answered in it."""
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        crowd = Crowd(serving.url, name, key=key)

        async def load() -> None:
            asyncio.get_running_loop().call_later(seconds, serving.process.kill)
            await crowd.run(CLIENTS, seconds)

        asyncio.run(load())
        serving.process.wait()
    return sum(status == 200 for status in crowd.heard.values())


def checked(store: Path, ups: Upstreams, prefix: str, before: Settled) -> Settled:
    """The ledger after a death: all upstream calls are in it, closed, and what was closed before is as it was."""
    calls = list(Reader(store).requests())
    now = {(call.request_id, call.call_no): call for call in calls}
    assert len(now) == len(calls), "a call is in the ledger twice"
    assert all(now.get(name) == call for name, call in before.items()), "a settled row has changed or gone"
    assert all(call.status is not None for call in calls), "a call of the dead is still open"
    for call in calls:
        if call.status == "unknown":
            assert call.billed_usd == call.reserve_usd > 0.0
    ours = [call for call in calls if (call.user or "").startswith(prefix)]
    written = Counter((call.candidate, call.user) for call in ours)
    seen = Counter((name, request.json["user"]) for name, fake in ups.fakes.items() for request in fake.requests)
    assert not seen - written, f"upstream calls that nobody wrote down: {seen - written}"
    return now
