"""Answers that a server broke off and says so in their finish reason alone: they are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.testing import Answer
from tenbin.upstream.stream import OpenAIStream
from tenbin.upstream.translate import ChatToMessagesStream
from tests.gateway.clients.package import Package
from tests.gateway.running import HARD, Running, Upstreams

anthropic, openai = Package("anthropic"), Package("openai")
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
COST_USD = (100 * 10 + 10 * 40) / 1e6
AWAY = {"code": 502, "message": "Upstream idle timeout exceeded"}
BROKEN: list[dict[str, Any]] = [
    {"finish_reason": "error", "error": AWAY},
    {"finish_reason": "error"},
    {"finish_reason": "insufficient_system_resource", "error": None},
    {"finish_reason": "abort"},
]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Running]:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as running:
        yield running


def whole(choice: dict[str, Any]) -> Answer:
    said = {"index": 0, "message": {"role": "assistant", "content": "So far"}, **choice}
    return Answer(body=json.dumps({"id": "gen-1", "choices": [said], "usage": USAGE}).encode())


def streamed(choice: dict[str, Any], *said: str) -> Answer:
    deltas = [{"index": 0, "delta": {"role": "assistant", "content": text}} for text in said]
    chunks = [{"id": "gen-1", "choices": [c]} for c in (*deltas, {"index": 0, "delta": {"content": ""}, **choice})]
    chunks.append({"id": "gen-1", "choices": [], "usage": USAGE})
    lines = [b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks]
    return Answer(body=b"".join(lines) + b"data: [DONE]\n\n", headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize("choice", BROKEN, ids=str)
@pytest.mark.parametrize("is_stream", [False, True])
def test_the_next_candidate_answers_and_what_was_made_is_paid(
    gateway: Running, choice: dict[str, Any], is_stream: bool
) -> None:
    gateway.upstreams["good"].script = streamed(choice) if is_stream else whole(choice)
    answer = gateway.chat(stream=is_stream)
    assert (answer.status, answer.headers["x-tenbin-fallbacks"]) == (200, "good")
    first, second = gateway.calls()
    assert (first.status, second.status) == ("failed", "ok")
    if not is_stream:  # of a stream nothing had come
        assert (first.usage.output_tokens, first.cost_usd) == (10, pytest.approx(COST_USD))


@pytest.mark.extra
def test_a_client_is_told_what_the_server_says_of_it(gateway: Running) -> None:
    gateway.upstreams["good"].script = whole(BROKEN[0])
    client = openai.OpenAI(base_url=gateway.base_url, api_key="x", max_retries=0)
    with pytest.raises(openai.InternalServerError, match="Upstream idle timeout exceeded"):
        client.chat.completions.create(model="good", messages=[{"role": "user", "content": HARD}])


@pytest.mark.extra
@pytest.mark.parametrize("choice", BROKEN, ids=str)
def test_anthropics_client_is_told_as_well(gateway: Running, choice: dict[str, Any]) -> None:
    """Half an answer came as `end_turn`."""
    gateway.upstreams["good"].script = whole(choice)
    client = anthropic.Anthropic(base_url=gateway.base_url.removesuffix("/v1"), api_key="x", max_retries=0)
    asked: Any = {"model": "good", "max_tokens": 64, "messages": [{"role": "user", "content": HARD}]}
    with pytest.raises(anthropic.InternalServerError, match=r"broke off|Upstream idle"):
        client.messages.create(**asked)


@pytest.mark.parametrize("choice", BROKEN, ids=str)
def test_a_stream_that_had_begun_ends_with_an_error(choice: dict[str, Any]) -> None:
    body = streamed(choice, "So ", "far").body or b""
    read, translated = OpenAIStream(strip_usage=False), ChatToMessagesStream()
    said = b"".join(translated.feed(read.feed(bytes([byte]))) for byte in body) + translated.close()
    assert (read.error is not None, read.usage is not None, read.finish_reason) == (True, True, choice["finish_reason"])
    assert [text in said for text in (b'"text":"far"', b"event: error", b"message_stop")] == [True, True, False]


def test_an_error_of_a_choice_is_the_first_that_is_told() -> None:
    stream = OpenAIStream(strip_usage=True)
    stream.feed(streamed(BROKEN[0]).body or b"")
    assert json.loads(stream.error or b"") == {"error": AWAY}


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("sensitive", "refusal"), ("model_context_window_exceeded", "model_context_window_exceeded"), ("eos", "end_turn")],
)
def test_other_words_for_an_end_are_read(gateway: Running, reason: str, stop: str) -> None:
    gateway.upstreams["good"].script = whole({"finish_reason": reason})
    body = {"model": "good", "max_tokens": 9, "messages": [{"role": "user", "content": HARD}]}
    assert gateway.post("/v1/messages", body).json["stop_reason"] == stop
