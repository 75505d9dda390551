"""What an answer is held against: the reference with a prompt cache as warm as that of who answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.gateway.baseline import baseline_usd
from tenbin.prices.rates import Rates
from tenbin.testing import Answer
from tenbin.types import Price, Usage
from tests.gateway.chaos.client import hear, leave, send
from tests.gateway.running import EASY, HARD, Running, Upstreams, eventually

BOOK = """
[models.cheap]
input_usd_per_mtok = 1.0
cached_input_usd_per_mtok = 0.1
output_usd_per_mtok = 1.0
[models.good]
input_usd_per_mtok = 10.0
cached_input_usd_per_mtok = 1.0
output_usd_per_mtok = 10.0
"""
SPARED_USD = 9e-6
"""What a cached token of `good` costs less."""
TURN_TOKENS = 1_100
"""About what each turn of `spoken` adds, by the rate that the router has learnt."""
OWN = partial(Rates.of(["good"], [Price(10.0, 50.0, cached_input_usd_per_mtok=1.0)]).bill_usd, 0)


@pytest.mark.parametrize(
    ("sent", "turn_tokens", "expected"),
    [
        (Usage(10_000, 100), 0, 0.2),
        (Usage(10_000, 100, cached_tokens=8_000), 0, 0.2 - 8_000 * SPARED_USD),
        (Usage(10_000, 100), 8_000, 0.2 - 8_000 * SPARED_USD),
        (Usage(10_000, 100, cached_tokens=9_000), 8_000, 0.2 - 9_000 * SPARED_USD),
        (Usage(10_000, 100), 12_000, 0.2 - 10_000 * SPARED_USD),
        (
            Usage(100_000, 100, cached_tokens=100_000),
            0,
            0.1,
        ),  # more than was expected of the prompt: what it costs warm
    ],
    ids=["nothing cached", "as billed", "as the turn before", "the larger", "no more than was sent", "never less"],
)
def test_what_lies_in_a_cache_is_taken_off(sent: Usage, turn_tokens: int, expected: float) -> None:
    assert baseline_usd(0.2, OWN, sent, turn_tokens) == pytest.approx(expected)


tokens = st.integers(0, 1_000_000)


@given(tokens, tokens, tokens, tokens, st.floats(0.0, 100.0))
def test_a_cache_never_makes_the_reference_dearer_than_it_is_cold_nor_cost_less_than_nothing(
    sent: int, cached: int, written: int, turn: int, expected: float
) -> None:
    told = Usage(sent, 5, cached_tokens=min(cached, sent), cache_write_tokens=min(written, sent - min(cached, sent)))
    found = baseline_usd(expected, OWN, told, turn)
    assert 0.0 <= found <= max(expected, OWN(Usage(sent, 0))) + 1e-12
    assert baseline_usd(expected, lambda _: None, told, turn) == expected


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("baseline")
    (folder / "prices.toml").write_text(BOOK, encoding="utf-8")
    gateway = f'keys = "open"\nprices = "{folder / "prices.toml"}"'
    with Upstreams("cheap", "good") as ups, Running(folder, ups, gateway=gateway) as running:
        yield running


@pytest.fixture
def gateway(module_gateway: Running) -> Running:
    for fake in module_gateway.upstreams.fakes.values():
        fake.script = None
    return module_gateway


def spoken(gateway: Running, text: str, *, tells_cache: bool) -> list[tuple[Any, float]]:
    """Five turns that `cheap` answers: each call, and what the decision expected of `good`."""
    messages: list[dict[str, Any]] = []
    turns, before = [], 0
    for number in range(5):
        messages.append({"role": "user", "content": f"{text} {number} " * 300})
        sent = TURN_TOKENS * (number + 1)
        usage = Usage(sent, 20, cached_tokens=before if tells_cache else 0)
        gateway.upstreams["cheap"].script = Answer(text="Fine.", usage=usage)
        answer = gateway.chat(messages=messages, tenbin={"allow": ["cheap"]})
        messages.append({"role": "assistant", "content": "Fine."})
        made, before = answer.headers["x-tenbin-decision-id"], sent
        shown = {one["model"]: one for one in gateway.get(f"/v1/decisions/{made}").json["candidates"]}
        turns.append((gateway.calls()[-1], float(shown["good"]["cost_usd"])))
    return turns


@pytest.mark.parametrize("tells_cache", [True, False], ids=["told by its bill", "known of the turn before"])
def test_each_turn_of_a_conversation_is_held_against_the_reference_with_a_warm_cache(
    gateway: Running, tells_cache: bool
) -> None:
    """Held against its prompt at full price, a long conversation saved several times what it could have cost."""
    turns = spoken(gateway, f"{EASY} {tells_cache}", tells_cache=tells_cache)
    for number, (call, expected_usd) in enumerate(turns):
        assert call.candidate == "cheap"
        assert call.baseline_usd == pytest.approx(expected_usd - number * TURN_TOKENS * SPARED_USD, rel=1e-4)
    assert turns[-1][0].baseline_usd < turns[-1][1] / 2


def metered(gateway: Running, name: str) -> float:
    """The sum of a metric over all its labels."""
    text = gateway.request("GET", "/metrics", admin=True).body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


def test_an_answer_of_unknown_usage_counts_in_metrics_what_the_ledger_books(gateway: Running) -> None:
    """It cost nothing there, and the whole of its baseline was told as saved."""
    names = ("tenbin_cost_dollars_total", "tenbin_baseline_cost_dollars_total", "tenbin_unpriced_answers_total")
    before, known = [metered(gateway, name) for name in names], len(gateway.calls())
    body = {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant"}}]}
    body["choices"][0] |= {"finish_reason": "stop", "message": {"role": "assistant", "content": "Fine."}}  # type: ignore[index]
    gateway.upstreams["cheap"].script = Answer(body=json.dumps(body).encode())
    assert gateway.chat(EASY, tenbin={"allow": ["cheap"]}).status == 200
    (call,) = gateway.calls()[known:]
    assert (call.status, call.cost_usd) == ("ok", None)
    assert call.billed_usd > 0.0
    cost, baseline, unknown = (metered(gateway, name) - was for name, was in zip(names, before, strict=True))
    assert cost == pytest.approx(call.billed_usd)
    assert baseline == pytest.approx(call.baseline_usd)
    assert unknown == 1.0


def test_an_answer_of_the_reference_that_nobody_waited_for_saves_and_loses_nothing(gateway: Running) -> None:
    """Its dollars counted, and nothing that they were held against: who stopped dear answers lost what was saved."""
    gateway.upstreams["good"].script = Answer(text="word " * 200, chunk_gap_s=0.01)
    body = {"model": "tenbin/auto", "stream": True, "messages": [{"role": "user", "content": HARD}]}
    client = send(gateway.port, json.dumps(body).encode())
    hear(client, b"word")
    leave(client)
    eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
    call = gateway.calls()[-1]
    assert (call.candidate, call.status) == ("good", "cancelled")
    assert call.cost_usd > 0.0
    assert call.baseline_usd == call.cost_usd
