"""kill -9 at random moments: whatever an upstream saw is in the ledger, and budgets count it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from tenbin.store.keys import create_key
from tenbin.store.mending import mend
from tenbin.store.reader import Reader
from tenbin.testing import Answer
from tests.gateway.chaos.client import chat_body, send
from tests.gateway.chaos.killing import kill_under_load
from tests.gateway.chaos.processes import gathered, tenbin_serve
from tests.gateway.running import Upstreams, written
from tests.gateway.serving import until

KILLS = int(os.environ.get("TENBIN_CHAOS_KILLS", "10"))
"""The whole is 50, by the environment or by `runs/chaos.py`."""
HELD = 8


def test_kills_under_load_lose_and_double_nothing(folder: Path, ups: Upstreams) -> None:
    config = written(folder, ups, gateway='keys = "required"')
    secret, key = create_key(folder / "store", "crowd", day_usd=1e6)
    ups["good"].script = Answer.slow(chunk_gap_s=0.002)
    toll = kill_under_load(config, folder / "store", ups, KILLS, seed=8, key=secret)
    assert toll.upstream_calls > 2 * KILLS  # there was load: hundreds where nobody else computes
    assert toll.unknown > 0
    assert toll.answered > 0
    assert Reader(folder / "store").spent(key.key_id, 0.0) > 0.0


def test_what_a_dead_gateway_has_set_aside_counts_after_the_restart(folder: Path, ups: Upstreams) -> None:
    store = folder / "store"
    config = written(folder, ups, gateway='keys = "required"')
    ups["good"].script = Answer.hang()
    probe, _ = create_key(store, "probe")
    secret, key = create_key(store, "small", day_usd=0.1)
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        port = serving.connect().port
        clients = [send(port, chat_body(), key=probe)]
        ups["good"].wait_for(1)
        clients += [send(port, chat_body(f"prove it {i}", max_tokens=1000), key=secret) for i in range(HELD)]
        # 1,000 tokens of the dear model are 4 cents: the third is let in with less than that left, the others wait.
        ups["good"].wait_for(1 + 3)
        serving.process.kill()
        serving.process.wait()
    for client in clients:
        client.close()
    mend(store)
    held = [call for call in Reader(store).requests(key_id=key.key_id) if call.status == "unknown"]
    assert len(held) == 3
    assert Reader(store).spent(key.key_id, 0.0) == sum(call.reserve_usd or 0.0 for call in held) > 0.1
    ups["good"].script = ()
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        body = json.loads(chat_body())
        (refused,) = asyncio.run(gathered(serving.url, [body], key=secret))
        (served,) = asyncio.run(gathered(serving.url, [body], key=probe))
        assert refused[0] == 429
        assert json.loads(refused[1])["error"]["code"] == "budget_exhausted"
        assert served[0] == 200
        until(lambda: list(Reader(store).requests(status="ok")), "the call in the ledger")
