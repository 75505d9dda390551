"""A request finds its candidate, the answer comes back untouched, the next candidate takes over where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenbin.testing import Answer
from tests.gateway.running import EASY, HARD, Running, Upstreams, frames

Pair = tuple[Running, Upstreams]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with Upstreams("cheap", "good", claude="anthropic") as ups, Running(folder, ups) as gateway:
        yield gateway, ups


@pytest.fixture
def pair(served: Pair) -> Pair:
    gateway, ups = served
    for fake in ups.fakes.values():
        fake.script = ()
        fake.clear()
    gateway.gateway.services.breakers.__init__()  # type: ignore[misc]
    return gateway, ups


def test_easy_goes_to_the_cheap_one_and_hard_to_the_good_one(pair: Pair) -> None:
    gateway, ups = pair
    assert gateway.chat(f"{EASY} 7").headers["x-tenbin-model"] == "cheap"
    assert gateway.chat(f"{HARD} 7").headers["x-tenbin-model"] == "good"
    assert sorted(ups.called()) == ["cheap", "good"]


def test_the_next_candidate_takes_over_unseen(pair: Pair) -> None:
    gateway, ups = pair
    ups["good"].script = [Answer.error(503)]
    answer = gateway.chat()
    assert answer.status == 200
    assert answer.headers["x-tenbin-fallbacks"] == "good"
    assert ups.called()[0] != ups.called()[1]


def test_a_stream_that_fails_before_its_first_content_is_taken_over(pair: Pair) -> None:
    gateway, ups = pair
    ups["good"].script = [Answer.cut_stream(10)]
    answer = gateway.chat(stream=True)
    assert answer.status == 200
    assert frames(answer.body)[-1] == "[DONE]"
    assert answer.headers["x-tenbin-fallbacks"] == "good"


def test_a_stream_that_is_cut_half_way_ends_with_an_error(pair: Pair) -> None:
    gateway, ups = pair
    whole = frames(gateway.chat(stream=True).body)
    ups["good"].script = [replace(Answer.error_in_stream(after_chunks=3), chunk_gap_s=0.05)]
    broken = frames(gateway.chat(stream=True).body)
    assert whole[-1] == "[DONE]"
    assert "error" in broken[-1]


def test_every_call_is_in_the_ledger(pair: Pair) -> None:
    gateway, ups = pair
    before = len(gateway.calls())
    ups["good"].script = [Answer.error(500)]
    gateway.chat()
    calls = gateway.calls()[before:]
    told = [(call.status, call.failure, call.http_status, call.call_no, call.fallbacks) for call in calls]
    assert told == [("failed", "server_error", 500, 0, 0), ("ok", None, 200, 1, 1)]
    assert {(call.asked_model, call.profile, call.endpoint) for call in calls} == {("tenbin/auto", "auto", "chat")}
    assert {call.price_version for call in calls} == {gateway.gateway.snapshot.price_version}
    assert calls[0].baseline_usd is None
    assert calls[1].baseline_usd > 0.0  # what the reference would have cost
    assert calls[1].cost_usd > 0.0
    assert calls[1].usage is not None


def test_where_the_reference_answers_nothing_is_saved_and_nothing_lost(pair: Pair) -> None:
    gateway, _ = pair
    before = len(gateway.calls())
    answer = gateway.chat()
    (call,) = gateway.calls()[before:]
    assert call.candidate == "good"
    assert call.baseline_usd == call.cost_usd
    assert call.cost_usd != float(answer.headers["x-tenbin-expected-cost-usd"])


def test_a_model_that_was_named_itself_has_a_decision_to_read_and_to_rate(pair: Pair) -> None:
    gateway, _ = pair
    answer = gateway.post("/v1/chat/completions", {"model": "good", "messages": [{"role": "user", "content": HARD}]})
    decision_id = answer.headers["x-tenbin-decision-id"]
    [call] = [call for call in gateway.calls() if call.decision_id == decision_id]
    assert gateway.get(f"/v1/decisions/{decision_id}").json == {
        "decision_id": decision_id,
        "at": call.at,
        "profile": None,
        "model": "good",
        "reason": "named by the request",
        "code": "pinned",
        "plan": ["good"],
    }
    assert gateway.post("/v1/feedback", {"decision_id": decision_id, "quality": 0.5}).status == 200


def test_a_head_tells_the_headers_of_what_a_get_would_bring(pair: Pair) -> None:
    gateway, _ = pair
    for path in ("/health", "/ready"):
        head, whole = gateway.request("HEAD", path), gateway.get(path)
        assert (head.status, whole.status, head.body) == (200, 200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.body))
        assert head.headers["content-type"] == "application/json"


def test_a_refusal_tells_of_everybody_who_could_have_been_asked(tmp_path: Path) -> None:
    small = {"cheap": "capabilities = []\ncontext_window_tokens = 50", "good": "context_window_tokens = 60"}
    with (
        Upstreams("cheap", "good", "other") as ups,
        Running(tmp_path, ups, profile='mu = 0.3\ndeny = ["other"]', candidate=small) as gateway,
    ):
        tools = [{"type": "function", "function": {"name": "look"}}]
        for fields, why in (
            ({"max_tokens": 90}, "cheap needs about "),
            ({"tools": tools, "n": 2}, "cheap lacks tools"),
        ):
            refused = gateway.chat(f"{HARD} " * 20, **fields)
            assert (refused.status, refused.error["code"]) == (400, "no_candidate")
            assert why in refused.error["message"]
            assert "good needs about " in refused.error["message"]
            assert "other" not in refused.error["message"]
        for named, sent in (
            ("tenbin.max_cost_usd", {"tenbin": {"max_cost_usd": 1e-12}}),
            ("x-tenbin-max-cost-usd", {}),
        ):
            refused = gateway.chat(headers={} if sent else {named: "1e-12"}, **sent)
            assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "no_candidate", named)
        assert ups.called() == []
