"""Upstreams that fail and recover: breakers open, probe and close, others serve, and no request is lost."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenbin.gateway.breaker import Rules
from tenbin.testing import Answer
from tests.gateway.chaos.client import HARD, chat_body, hear, leave, send
from tests.gateway.chaos.processes import Crowd, gathered
from tests.gateway.running import Running, Upstreams, after, eventually

PAUSE_S = 0.2


@pytest.fixture
def gateway(folder: Path, ups: Upstreams) -> Iterator[Running]:
    with Running(folder, ups) as running:
        running.gateway.services.breakers.rules = Rules(first_pause_s=PAUSE_S, longest_pause_s=PAUSE_S, jitter=0.0)
        yield running


def state_of(gateway: Running, name: str) -> str:
    return gateway.gateway.services.breakers.states().get(name, "closed")


def decisions(gateway: Running) -> int:
    told = gateway.request("GET", "/metrics", admin=True).body.decode()
    return sum(int(float(count)) for count in re.findall(r"^tenbin_decisions_total\{.*\} (\S+)$", told, re.MULTILINE))


def opened(gateway: Running, ups: Upstreams) -> float:
    """Fail until the breaker of `good` is open; a moment before it opened."""
    ups["good"].script = Answer.error(503)
    for _ in range(gateway.gateway.services.breakers.rules.failures_in_a_row):
        before = time.monotonic()
        assert gateway.chat().headers["x-tenbin-model"] == "cheap"
    assert state_of(gateway, "good") == "open"
    ups["good"].clear()
    return before


def admitted(gateway: Running) -> None:
    """Wait until `good` may be probed."""
    eventually(lambda: gateway.gateway.services.breakers.admits("good"), "the pause to end")


def test_a_breaker_opens_probes_once_and_closes(gateway: Running, ups: Upstreams) -> None:
    before = opened(gateway, ups)
    answer = gateway.chat()
    if time.monotonic() < before + PAUSE_S:
        assert answer.headers["x-tenbin-model"] == "cheap"
        assert not ups["good"].requests
    assert gateway.get("/health").status == 200
    admitted(gateway)
    # One probe goes out though many ask; the others are served elsewhere, and it is answered after them.
    ups["good"].clear()
    ups["cheap"].clear()
    ups["good"].script = after(ups["cheap"], 9)
    bodies = [json.loads(chat_body(f"{HARD} {i}")) for i in range(10)]
    answers = asyncio.run(gathered(gateway.base_url.removesuffix("/v1"), bodies))
    assert [status for status, _ in answers] == [200] * 10
    assert len(ups["good"].requests) == 1
    assert state_of(gateway, "good") == "closed"
    ups["good"].script = ()
    assert gateway.chat().headers["x-tenbin-model"] == "good"


def test_what_speaks_against_the_request_alone_opens_no_breaker_and_closes_one(
    gateway: Running, ups: Upstreams
) -> None:
    ups["good"].script = Answer.error(400)
    for _ in range(gateway.gateway.services.breakers.rules.failures_in_a_row + 1):
        assert gateway.chat().status == 400
    assert state_of(gateway, "good") == "closed"
    opened(gateway, ups)
    admitted(gateway)
    ups["good"].script = Answer.error(400)
    assert gateway.chat().status == 400
    assert state_of(gateway, "good") == "closed"


def test_a_probe_whose_client_leaves_decides_nothing(gateway: Running, ups: Upstreams) -> None:
    opened(gateway, ups)
    admitted(gateway)
    ups["good"].script = Answer.hang()
    client = send(gateway.port, chat_body())
    ups["good"].wait_for(1)
    assert state_of(gateway, "good") == "half_open"
    leave(client)
    eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
    ups["good"].script = ()
    assert gateway.chat().headers["x-tenbin-model"] == "good"
    eventually(lambda: state_of(gateway, "good") == "closed", "the probe to be counted")


def test_retry_after_is_kept_and_passed_on(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = [Answer.error(429, retry_after=1)]
    asked_at = time.monotonic()
    assert gateway.chat().headers["x-tenbin-fallbacks"] == "good"
    while True:
        assert gateway.chat().status == 200
        refused = gateway.chat(model="good")
        if time.monotonic() >= asked_at + 1.0:  # it may be asked again
            break
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert len(ups["good"].requests) == 1
        time.sleep(0.1)
    eventually(lambda: gateway.chat().headers["x-tenbin-model"] == "good", "the candidate to be asked again")
    assert ups["good"].requests[1].at >= ups["good"].requests[0].at + 1.0


def test_a_longer_retry_after_reaches_a_client_that_nobody_else_can_serve(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = ups["cheap"].script = Answer.error(429, retry_after=120)
    first = gateway.chat()
    assert first.status == 429
    assert first.headers["retry-after"] == "120"
    assert first.headers["x-should-retry"] == "false"
    second = gateway.chat()
    assert second.status == 503
    assert second.error["code"] == "candidates_unavailable"
    assert 100 < int(second.headers["retry-after"]) <= 120
    assert len(ups.called()) == 2
    assert decisions(gateway) == 2  # the one that was never sent, too


def test_a_decision_is_counted_while_the_upstream_works(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = Answer.hang()
    client = send(gateway.port, chat_body())
    ups["good"].wait_for(1)
    eventually(lambda: decisions(gateway) == 1, "the decision to be counted")
    leave(client)
    eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
    assert decisions(gateway) == 1


def test_an_upstream_that_comes_and_goes_loses_no_request(gateway: Running, ups: Upstreams) -> None:
    crowd = Crowd(gateway.base_url.removesuffix("/v1"), "flap")
    flaws = [Answer.error(500), Answer.reset(), Answer.close(), Answer.error(429), Answer.malformed_json(), Answer()]

    async def flap() -> None:
        for i in range(12):
            await asyncio.sleep(0.1)
            if i % 6 == 5:
                await asyncio.to_thread(ups["good"].close)
                await asyncio.sleep(0.1)
                await asyncio.to_thread(ups["good"].start)
            # Whole answers fail in every way, streams before their first content: nothing has gone to the client.
            ups["good"].script = flaws[i % len(flaws)]
        ups["good"].script = ()

    async def load() -> None:
        await asyncio.gather(crowd.run(8, 1.8), flap())

    asyncio.run(load())
    assert len(crowd.asked) > 24  # two for each change; hundreds where nobody else computes
    lost = [user for user in crowd.asked if crowd.heard.get(user) != 200]
    # A stream that had begun when its upstream was closed ends with an error, as it must.
    begun = {call.user for call in gateway.calls() if call.status == "failed" and call.first_token_s is not None}
    assert set(lost) <= begun
    assert len(lost) <= 8
    answered = [call.user for call in gateway.calls() if call.status == "ok"]
    assert sorted(user for user in answered if user) == sorted(set(crowd.asked) - set(lost))
    eventually(lambda: gateway.chat().headers["x-tenbin-model"] == "good", "the breaker to close")


def test_nobody_waits_for_the_end_of_a_stream_that_probes(gateway: Running, ups: Upstreams) -> None:
    whole = gateway.chat(stream=True).body
    opened(gateway, ups)
    admitted(gateway)
    ups["good"].script = [Answer(cut_at=len(whole) // 2, ending="hang")]
    with send(gateway.port, chat_body(stream=True)) as client:
        assert b"data: " in hear(client, b"data: ")
        assert gateway.chat().headers["x-tenbin-model"] == "good"
        leave(client)
    eventually(lambda: gateway.gateway.services.in_flight == 0, "the probe to end")
    assert state_of(gateway, "good") == "closed"
