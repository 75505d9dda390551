"""Streams on their way through: the bytes that go on, and what a stream says about itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.types import Usage
from tenbin.upstream.failure import UpstreamFailure, failure_inside
from tenbin.upstream.frame_stream import AnswerStream
from tenbin.upstream.stream import AnthropicStream, OpenAIStream, ResponsesStream

NOTHING = object()


def chunk(delta: dict[str, Any] | None, *, finish: str | None = None, usage: Any = NOTHING) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    body = {"id": "c-1", "object": "chat.completion.chunk", "choices": choices}
    if usage is not NOTHING:
        body["usage"] = usage
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


COUNTS = {
    "prompt_tokens": 9,
    "completion_tokens": 4,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
DONE = b"data: [DONE]\n\n"
TEXTS = [{"role": "assistant", "content": ""}, {"content": "日本"}, {"content": ' "usage":null \n'}, {}]
BARE = b": ping\n\n" + b"".join(chunk(delta, finish=None if delta else "stop") for delta in TEXTS)
ASKED = (
    b": ping\n\n"
    + b"".join(chunk(delta, finish=None if delta else "stop", usage=None) for delta in TEXTS)
    + chunk(None, usage=COUNTS)
)
MESSAGES = (
    event(
        "message_start",
        message={
            "id": "msg_1",
            "usage": {
                "input_tokens": 3,
                "cache_read_input_tokens": 10,
                "cache_creation_input_tokens": 5,
                "output_tokens": 1,
            },
        },
    )
    + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + event("ping")
    + event("content_block_delta", index=0, delta={"type": "text_delta", "text": "こん"})
    + event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7})
    + event("message_stop")
)
RESPONSES = (
    event("response.created", response={"id": "resp_1", "status": "in_progress", "usage": None})
    + event("response.output_item.added", item={"type": "message"})
    + event("response.output_text.delta", delta="a")
    + event(
        "response.completed",
        response={
            "id": "resp_1",
            "status": "completed",
            "usage": {
                "input_tokens": 20,
                "input_tokens_details": {"cached_tokens": 8},
                "output_tokens": 6,
                "output_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 26,
            },
        },
    )
)
KINDS: Sequence[tuple[Callable[[], AnswerStream], bytes]] = [
    (lambda: OpenAIStream(strip_usage=False), ASKED + DONE),
    (lambda: OpenAIStream(strip_usage=True), ASKED + DONE),
    (lambda: OpenAIStream(strip_usage=True), (ASKED + DONE).replace(b"\n", b"\r\n")),
    (AnthropicStream, MESSAGES),
    (ResponsesStream, RESPONSES),
]


def said(stream: AnswerStream) -> tuple[Any, ...]:
    figures = stream.has_content, stream.said_bytes, stream.is_done, stream.usage
    return *figures, stream.error, stream.response_id, stream.finish_reason


def run(stream: AnswerStream, pieces: list[bytes]) -> bytes:
    return b"".join([*(stream.feed(piece) for piece in pieces), stream.finish()])


def test_a_client_that_asked_gets_every_byte() -> None:
    stream = OpenAIStream(strip_usage=False)
    assert run(stream, [ASKED + DONE]) == ASKED + DONE
    assert said(stream) == (True, 24, True, Usage(9, 4, 2, 0, 1), None, "c-1", "stop")


def test_a_client_that_did_not_ask_gets_the_stream_as_if_nobody_had() -> None:
    stream = OpenAIStream(strip_usage=True)
    assert run(stream, [ASKED + DONE]) == BARE + DONE
    assert stream.usage == Usage(9, 4, 2, 0, 1)


def test_frames_without_usage_are_not_rewritten() -> None:
    odd = b'event: x\nid: 4\ndata: {"a" : 1.50,\ndata: "choices":[] }\n\n'
    assert run(OpenAIStream(strip_usage=True), [odd]) == odd


def test_a_rewritten_frame_keeps_numbers_event_and_lines() -> None:
    odd = b'event: x\ndata: {"a" : 1.50, "b": [1,\ndata:  2e1], "usage" : null}\n\n'
    assert run(OpenAIStream(strip_usage=True), [odd]) == b'event: x\ndata: {"a":1.50,"b":[1,\ndata:  2e1]}\n\n'


@pytest.mark.parametrize(
    ("data", "passed"),
    [
        (b'{"a":1,"usage":null}', b'{"a":1}'),
        (b'{"a":1,"usage":null,"obfuscation":"x"}', b'{"a":1,"obfuscation":"x"}'),
        (b'{"usage":null,"a":{"b":1,"usage":null}}', b'{"a":{"b":1,"usage":null}}'),
        (b'{"a":{"b":1,"usage":null},"us\\u0061ge":null}', b'{"a":{"b":1,"usage":null}}'),
        (b'{"a":"usage","usage":null}', b'{"a":"usage"}'),
        (b'{"a":",","usage":null}', b'{"a":","}'),
    ],
)
def test_no_member_but_the_usage_is_left_out(data: bytes, passed: bytes) -> None:
    assert run(OpenAIStream(strip_usage=True), [b"data: " + data + b"\n\n"]) == b"data: " + passed + b"\n\n"


ODD = [
    b'data: {"choices":[{"delta":{"content":"\\u00e9"}}],"usage":null}\n\n',
    b'data: {"choices":[{"delta":{"content":"say usage"}}],"usage":null}\n\n',
    b'data: {"usage":null,"choices":[{"delta":{"content":"x"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"a\\nb"},"finish_reason":"length"}],"usage":null}\n\n',
    b'data: {"choices":[],"usage":null}\r\n\r\n',
    b'data: {"error":{"message":"busy"},"usage":null}\n\n',
    b'data: {"error":null,"usage":null}\n\n',
    b'data: {"choices":[},"usage":null}\n\n',
    b'data: {"choices":5,"usage":null}\n\n',
    b'data: {"choices":[{"delta":{"content":\ndata: "x"}}],"usage":null}\n\n',
    b'event: error\ndata: {"message":"busy","usage":null}\n\n',
    b": ping\n\n",
    DONE,
]


@given(
    st.lists(st.one_of(st.sampled_from(ODD), st.just(chunk({"content": "w"}, usage=None))), max_size=8), st.booleans()
)
def test_chunks_that_pile_up_are_read_as_one_by_one(frames: list[bytes], strips: bool) -> None:
    def told(pieces: list[bytes]) -> tuple[bytes, tuple[Any, ...], bool]:
        stream, given = OpenAIStream(strip_usage=strips), b""
        try:
            for piece in pieces:
                given += stream.feed(piece)
            return given + stream.finish(), said(stream), False
        except UpstreamFailure:
            return given, said(stream), True

    whole = b"".join([chunk({"role": "assistant", "content": ""}, usage=None), *frames])
    assert told([whole]) == told([chunk({"role": "assistant", "content": ""}, usage=None), *frames])
    assert told([b": ping\n", b"\n" + whole]) == told([b": ping\n\n", whole])


def test_usage_in_the_last_content_chunk() -> None:
    stream = OpenAIStream(strip_usage=True)
    last = chunk({"content": "b"}, finish="stop", usage=COUNTS)
    assert run(stream, [chunk({"content": "a"}), last, DONE]) == (
        chunk({"content": "a"}) + chunk({"content": "b"}, finish="stop") + DONE
    )
    assert stream.usage == Usage(9, 4, 2, 0, 1)


def test_an_empty_chunk_without_usage_goes_on() -> None:
    filtered = b'data: {"id":"","choices":[],"prompt_filter_results":[{}]}\n\n'
    assert run(OpenAIStream(strip_usage=True), [filtered]) == filtered


@pytest.mark.parametrize(("make", "whole"), KINDS)
def test_every_cut_gives_the_same_answer(make: Callable[[], AnswerStream], whole: bytes) -> None:
    once = make()
    expected = run(once, [whole])
    assert once.is_done
    for cut in range(len(whole) + 1):
        stream = make()
        assert run(stream, [whole[:cut], whole[cut:]]) == expected
        assert said(stream) == said(once)
    stream = make()
    assert run(stream, [whole[i : i + 1] for i in range(len(whole))]) == expected


@given(st.sampled_from(KINDS), st.data())
def test_any_pieces_give_the_same_answer(kind: tuple[Callable[[], AnswerStream], bytes], data: st.DataObject) -> None:
    make, whole = kind
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    once, stream = make(), make()
    expected = run(once, [whole])
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert run(stream, pieces) == expected
    assert said(stream) == said(once)


@pytest.mark.parametrize(("make", "whole"), KINDS)
def test_a_stream_cut_anywhere_is_not_done_and_ends_with_a_whole_frame(
    make: Callable[[], AnswerStream], whole: bytes
) -> None:
    complete = make()
    everything = run(complete, [whole])
    tail = len(whole.rstrip())
    for cut in range(tail):
        stream = make()
        out = run(stream, [whole[:cut]])
        assert not stream.is_done
        assert not out or out.endswith((b"\n\n", b"\r\n\r\n"))
        assert everything.startswith(out) or everything.startswith(out.rstrip())
    stream = make()
    run(stream, [whole[:tail]])
    assert stream.is_done


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"reasoning": "x"},
        {"refusal": "x"},
        {"tool_calls": [{"index": 0, "id": "t"}]},
        {"function_call": {"name": "f"}},
        {"audio": {"id": "a"}},
        {"content": [{"type": "text", "text": "x"}]},
    ],
)
def test_what_counts_as_content(delta: dict[str, Any]) -> None:
    stream = OpenAIStream(strip_usage=True)
    stream.feed(chunk({"role": "assistant", "content": "", "refusal": None, "tool_calls": []}))
    assert not stream.has_content
    stream.feed(chunk(delta))
    assert stream.has_content


@pytest.mark.parametrize(
    ("stream", "piece", "said_bytes"),
    [
        (OpenAIStream(strip_usage=True), chunk({"content": "word", "refusal": None, "reasoning_content": ""}), 4),
        (OpenAIStream(strip_usage=True), chunk({"reasoning_content": "日本"}), 6),
        (OpenAIStream(strip_usage=True), chunk({"tool_calls": [{"index": 0, "function": {"arguments": "word"}}]}), 4),
        (OpenAIStream(strip_usage=True), chunk({"content": "word"}, usage=None) * 3, 12),
        (AnthropicStream(), event("content_block_delta", delta={"type": "text_delta", "text": "word"}), 4),
        (AnthropicStream(), event("content_block_delta", delta={"type": "thinking_delta", "thinking": "word"}), 4),
        (AnthropicStream(), event("content_block_delta", delta={"type": "input_json_delta", "partial_json": "{}"}), 2),
        (AnthropicStream(), event("content_block_delta", delta={"type": "signature_delta", "signature": "word"}), 0),
        (ResponsesStream(), event("response.output_text.delta", delta="word"), 4),
    ],
)
def test_how_much_was_said(stream: AnswerStream, piece: bytes, said_bytes: int) -> None:
    stream.feed(piece)
    assert stream.said_bytes == said_bytes


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (event("content_block_start", index=0, content_block={"type": "text", "text": ""}), False),
        (event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}), False),
        (event("content_block_delta", index=0, delta={"type": "text_delta", "text": ""}), False),
        (event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "x"}), True),
        (event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "input": {}}), True),
        (event("content_block_start", index=0, content_block={"type": "redacted_thinking", "data": "x"}), True),
    ],
)
def test_what_counts_as_content_of_a_message(first: bytes, expected: bool) -> None:
    stream = AnthropicStream()
    stream.feed(first)
    assert stream.has_content is expected


def test_the_usage_of_a_message_adds_the_cached_input() -> None:
    stream = AnthropicStream()
    assert run(stream, [MESSAGES]) == MESSAGES
    assert said(stream) == (True, 12, True, Usage(18, 7, 10, 5), None, "msg_1", "end_turn")


def test_a_message_delta_may_correct_the_input() -> None:
    stream = AnthropicStream()
    counts = {"input_tokens": 30, "cache_read_input_tokens": 0, "output_tokens": 2}
    stream.feed(MESSAGES + event("message_delta", delta={}, usage=counts))
    assert stream.usage == Usage(35, 2, 0, 5)


def test_the_usage_of_a_response() -> None:
    stream = ResponsesStream()
    assert run(stream, [RESPONSES]) == RESPONSES
    assert said(stream) == (True, 1, True, Usage(20, 6, 8, 0, 5), None, "resp_1", "completed")


@pytest.mark.parametrize(
    ("stream", "bad"),
    [
        (OpenAIStream(strip_usage=True), b'data: {"error":{"message":"busy","type":"server_error"}}\n\n'),
        (OpenAIStream(strip_usage=True), b'event: error\ndata: {"message":"busy"}\n\n'),
        (AnthropicStream(), event("error", error={"type": "overloaded_error", "message": "Overloaded"})),
        (ResponsesStream(), event("error", code="server_error", message="busy")),
        (ResponsesStream(), event("response.failed", response={"id": "r", "status": "failed", "error": None})),
    ],
)
def test_an_error_inside_the_stream(stream: AnswerStream, bad: bytes) -> None:
    assert run(stream, [bad]) == bad
    assert stream.error is not None
    assert stream.error in bad


@pytest.mark.parametrize(
    ("code", "kind"),
    [("rate_limit_exceeded", "rate_limited"), ("context_length_exceeded", "context"), ("server_error", "server_error")],
)
def test_a_response_that_failed_says_why_as_any_error_does(code: str, kind: str) -> None:
    stream = ResponsesStream()
    bad = event("response.failed", response={"id": "r", "status": "failed", "error": {"code": code, "message": "Slow"}})
    assert run(stream, [bad]) == bad
    assert stream.error is not None
    failure = failure_inside(stream.error, "openai")
    assert (failure.kind, json.loads(failure.body)) == (kind, {"error": {"code": code, "message": "Slow"}})


@pytest.mark.parametrize("bad", [b"data: {oops\n\n", b"data: [1]\n\n", b"data: hello\n\n", b'data: {"choices":3}\n\n'])
def test_a_malformed_frame_fails_after_the_whole_ones_before_it(bad: bytes) -> None:
    good = chunk({"content": "a"})
    for pieces in ([good + bad + DONE], [good, bad + DONE], [good + bad, DONE]):
        stream = OpenAIStream(strip_usage=True)
        out, failure = fed_until_failure(stream, [*pieces, b""])
        assert failure is not None
        assert failure.kind == "malformed"
        assert out == good
        assert not stream.is_done


def fed_until_failure(stream: AnswerStream, pieces: list[bytes]) -> tuple[bytes, UpstreamFailure | None]:
    out = b""
    try:
        for piece in pieces:
            out += stream.feed(piece)
    except UpstreamFailure as failure:
        return out, failure
    return out, None
