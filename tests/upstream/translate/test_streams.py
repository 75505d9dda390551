"""Streams, from each dialect to the other: events in order, errors as errors, the same for any cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenbin.upstream.translate import ChatToMessagesStream, MessagesToChatStream

DONE = b"data: [DONE]\n\n"


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def piece(index: int | None, arguments: str = "", call_id: str | None = None, name: str | None = None) -> bytes:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    call = {"function": function} | ({} if index is None else {"index": index}) | ({"id": call_id} if call_id else {})
    return chunk(tool_calls=[call])


def usage_chunk(**usage: Any) -> bytes:
    return (
        b"data: " + json.dumps({"id": "chatcmpl-1", "model": "gpt-x", "choices": [], "usage": usage}).encode() + b"\n\n"
    )


def event(name: str, **body: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


def events(stream: bytes) -> list[dict[str, Any]]:
    """The data of an Anthropic stream, each checked to bear the name of its event."""
    found = []
    for frame in stream.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def chunks(stream: bytes) -> list[Any]:
    """The data of an OpenAI stream without comments; the end marker is the string [DONE]."""
    data = [frame.removeprefix("data: ") for frame in stream.decode().split("\n\n")[:-1] if not frame.startswith(":")]
    return [one if one == "[DONE]" else json.loads(one) for one in data]


def to_messages(*frames: bytes, thinking: bool = False) -> list[dict[str, Any]]:
    stream = ChatToMessagesStream(thinking=thinking)
    return events(stream.feed(b"".join(frames)) + stream.close())


def to_chat(*frames: bytes, include_usage: bool = False) -> list[Any]:
    stream = MessagesToChatStream(created=1, include_usage=include_usage)
    return chunks(stream.feed(b"".join(frames)) + stream.close())


def blocks(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(what a block is, all its deltas), after checking that blocks are open one at a time, with rising indices."""
    out: list[tuple[str, str]] = []
    is_open = False
    for one in found:
        if one["type"].startswith("content_block_"):
            is_start = one["type"] == "content_block_start"
            assert is_open is not is_start
            assert one["index"] == len(out) - (not is_start)
            is_open = one["type"] != "content_block_stop"
        if one["type"] == "content_block_start":
            start = one["content_block"]
            out.append((start.get("name") or start["type"], ""))
        elif one["type"] == "content_block_delta":
            text = next(value for key, value in one["delta"].items() if key != "type")
            out[-1] = (out[-1][0], out[-1][1] + text)
    assert not is_open
    return out


def test_text_becomes_one_block() -> None:
    usage = usage_chunk(prompt_tokens=9, completion_tokens=2, prompt_tokens_details={"cached_tokens": 4})
    found = to_messages(
        chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), chunk("stop"), usage, DONE
    )
    assert [one["type"] for one in found] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert found[0]["message"]["id"] == "msg_chatcmpl-1"
    assert blocks(found) == [("text", "Hello")]
    assert found[-2]["delta"]["stop_reason"] == "end_turn"
    counted = found[-2]["usage"]
    assert (counted["input_tokens"], counted["cache_read_input_tokens"], counted["output_tokens"]) == (5, 4, 2)


def test_thinking_text_and_parallel_calls_each_have_their_block() -> None:
    frames = (
        chunk(reasoning_content="hm"),
        chunk(content="I look."),
        piece(0, "", "a", "f"),
        piece(0, '{"x":'),
        piece(0, "1}"),
        piece(1, "", "b", "g"),
        piece(1, "{}"),
        chunk("tool_calls"),
        DONE,
    )
    found = to_messages(*frames, thinking=True)
    assert blocks(found) == [("thinking", "hm"), ("text", "I look."), ("f", '{"x":1}'), ("g", "{}")]
    assert [one["content_block"].get("id") for one in found if one["type"] == "content_block_start"][2:] == ["a", "b"]
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    assert blocks(to_messages(*frames))[0] == ("text", "I look.")


@given(st.data())
def test_interleaved_calls_come_out_one_after_the_other(data: st.DataObject) -> None:
    arguments = ['{"a":"b c"}', "", '{"d":[1,{"e":"}"}]}']
    waiting = [
        [piece(at, "", f"call_{at}", f"f{at}")] + [piece(at, one) for one in text] for at, text in enumerate(arguments)
    ]
    frames = []
    started = 0
    while any(waiting):
        ready = [at for at, left in enumerate(waiting) if left and at <= started]
        at = data.draw(st.sampled_from(ready))
        started = max(started, at + 1)
        frames.append(waiting[at].pop(0))
    found = to_messages(*frames, chunk("tool_calls"), DONE)
    assert blocks(found) == [(f"f{at}", text) for at, text in enumerate(arguments)]


def test_text_after_an_unfinished_call_waits_for_it() -> None:
    frames = (
        piece(0, '{"x"', "a", "f"),
        chunk(content="so"),
        piece(0, ":1}"),
        chunk(content=" be it"),
        chunk("stop"),
        DONE,
    )
    assert blocks(to_messages(*frames)) == [("f", '{"x":1}'), ("text", "so be it")]


def test_servers_that_do_not_number_calls_are_read_by_the_calls_ids() -> None:
    same = (piece(0, '{"x":1}', "a", "f"), piece(0, '{"x":2}', "b", "f"), chunk("tool_calls"), DONE)
    assert blocks(to_messages(*same)) == [("f", '{"x":1}'), ("f", '{"x":2}')]
    none = (piece(None, "{", "a", "f"), piece(None, "}"), piece(None, "{}", "b", "g"), chunk("stop"), DONE)
    assert blocks(to_messages(*none)) == [("f", "{}"), ("g", "{}")]
    bare = [one for one in to_messages(piece(0, "{}", None, "f"), chunk("stop"), DONE) if "content_block" in one]
    assert len(bare[0]["content_block"]["id"]) == 9


def test_a_call_whose_name_comes_late_has_it() -> None:
    late = (piece(0, "", "a"), piece(0, '{"x":'), piece(0, "1", name="f"), piece(0, "}"), chunk("tool_calls"), DONE)
    found = to_messages(*late)
    assert blocks(found) == [("f", '{"x":1}')]
    assert [one["content_block"]["id"] for one in found if "content_block" in one] == ["a"]
    last = (piece(0, "{"), piece(0, "}", "a", "f"), chunk("tool_calls"), DONE)
    assert blocks(to_messages(*last)) == [("f", "{}")]
    never = to_messages(piece(0, "{}", "a"), chunk("tool_calls"), DONE)
    assert [one["content_block"]["name"] for one in never if "content_block" in one] == [""]
    assert never[-2]["delta"]["stop_reason"] == "tool_use"


def test_calls_of_one_id_are_told_apart() -> None:
    pieces = [piece(0, '{"a":', "call", "f"), piece(1, "{}", "call", "f"), piece(0, "1}")]
    found = to_messages(chunk(), *pieces, chunk("tool_calls"), DONE)
    starts = [event["content_block"] for event in found if event["type"] == "content_block_start"]
    assert [text for _, text in blocks(found)] == ['{"a":1}', "{}"]
    assert starts[0]["id"] == "call"
    assert len({start["id"] for start in starts}) == 2


def test_a_refusal_and_a_filter_end_in_refusal() -> None:
    found = to_messages(chunk(refusal="I will "), chunk(refusal="not."), chunk("stop"), DONE)
    assert blocks(found) == [("text", "I will not.")]
    assert found[-2]["delta"]["stop_reason"] == "refusal"
    assert found[-2]["delta"]["stop_details"]["explanation"] == "I will not."
    assert to_messages(chunk(content="x"), chunk("content_filter"), DONE)[-2]["delta"]["stop_reason"] == "refusal"


@pytest.mark.parametrize(
    ("frames", "kind", "message"),
    [
        ((chunk(content="x"),), "api_error", "ended half-way"),
        ((chunk(content="x"), chunk("stop")), "api_error", "ended half-way"),
        ((), "api_error", "ended half-way"),
        ((chunk(content="x"), b"data: {not json\n\n", chunk("stop"), DONE), "api_error", "malformed"),
        ((chunk(content="x"), b'data: {"choices": 3}\n\n', DONE), "api_error", "malformed"),
        ((b'data: {"error":{"message":"busy","code":"rate_limit_exceeded"}}\n\n', DONE), "rate_limit_error", "busy"),
        ((b'data: {"error":{"message":"busy","code":503}}\n\n', DONE), "overloaded_error", "busy"),
    ],
)
def test_a_chat_stream_that_fails_never_ends_normally(frames: tuple[bytes, ...], kind: str, message: str) -> None:
    found = to_messages(*frames)
    assert found[-1]["type"] == "error"
    assert found[-1]["error"]["type"] == kind
    assert message in found[-1]["error"]["message"]
    assert not any(one["type"] in {"message_delta", "message_stop"} for one in found)


BUSY = event("error", error={"type": "overloaded_error", "message": "busy"})
START_USAGE = {"input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": 1}
START = event("message_start", message={"id": "msg_1", "model": "claude-x", "usage": START_USAGE})


def text_block(index: int, *texts: str) -> bytes:
    start = event("content_block_start", index=index, content_block={"type": "text", "text": ""})
    deltas = [event("content_block_delta", index=index, delta={"type": "text_delta", "text": text}) for text in texts]
    return start + b"".join(deltas) + event("content_block_stop", index=index)


def call_block(index: int, call_id: str, name: str, *pieces: str, given: Any = None) -> bytes:
    block = {"type": "tool_use", "id": call_id, "name": name, "input": given or {}}
    deltas = [
        event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": one})
        for one in pieces
    ]
    start = event("content_block_start", index=index, content_block=block)
    return start + b"".join(deltas) + event("content_block_stop", index=index)


def ending(stop_reason: str = "end_turn", output_tokens: int = 7, **delta: Any) -> bytes:
    body = {"stop_reason": stop_reason, "stop_sequence": None, **delta}
    return event("message_delta", delta=body, usage={"output_tokens": output_tokens}) + event("message_stop")


def test_a_message_becomes_chunks_and_usage_only_for_who_asked() -> None:
    frames = (START, event("ping"), text_block(0, "Hel", "lo"), ending())
    found = to_chat(*frames)
    assert [one["choices"][0]["delta"] for one in found[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [one["choices"][0]["finish_reason"] for one in found[:-1]] == [None, None, None, "stop"]
    assert found[-1] == "[DONE]"
    assert {(one["id"], one["model"], one["created"]) for one in found[:-1]} == {("chatcmpl-msg_1", "claude-x", 1)}
    assert not any("usage" in one for one in found[:-1])
    asked = to_chat(*frames, include_usage=True)
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["prompt_tokens"] == 8
    assert asked[-2]["usage"]["total_tokens"] == 15
    assert all(one["usage"] is None for one in asked[:-2])


def test_calls_are_counted_by_themselves_and_always_have_arguments() -> None:
    found = to_chat(
        START,
        text_block(0, "I look."),
        call_block(1, "a", "f", "", '{"x":', "1}"),
        call_block(2, "b", "g"),
        call_block(3, "c", "h", given={"y": 2}),
        ending("tool_use"),
    )
    calls: dict[int, dict[str, str]] = {}
    for one in found[:-1]:
        for call in one["choices"][0]["delta"].get("tool_calls", []):
            known = calls.setdefault(
                call["index"], {"id": call.get("id"), "name": call["function"].get("name"), "arguments": ""}
            )
            known["arguments"] += call["function"]["arguments"]
    assert list(calls.values()) == [
        {"id": "a", "name": "f", "arguments": '{"x":1}'},
        {"id": "b", "name": "g", "arguments": "{}"},
        {"id": "c", "name": "h", "arguments": '{"y": 2}'},
    ]
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_text_of_null_is_none() -> None:
    block = event("content_block_start", index=0, content_block={"type": "text", "text": None})
    members = {"text": None, "partial_json": None, "thinking": None}
    kinds = ("text_delta", "input_json_delta", "thinking_delta")
    nulls = [event("content_block_delta", index=0, delta={"type": kind, **members}) for kind in kinds]
    found = to_chat(START, block, *nulls, text_block(1, "yes"), ending())
    assert [one["choices"][0]["delta"] for one in found[1:-1]] == [{"content": "yes"}, {}]


def test_thinking_becomes_reasoning_content_and_its_signature_stays() -> None:
    thought = [
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "secret"}),
        event("content_block_stop", index=0),
    ]
    found = to_chat(START, *thought, text_block(1, "x"), ending())
    assert found[1]["choices"][0]["delta"] == {"reasoning_content": "hm"}
    assert "secret" not in json.dumps(found)


def test_a_refusal_is_a_content_filter_with_its_words() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    found = to_chat(START, ending("refusal", stop_details=details))
    assert found[-3]["choices"][0]["delta"] == {"refusal": "Not this."}
    assert found[-2]["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    ("frames", "code", "message"),
    [
        ((START, text_block(0, "x")), "upstream_cut", "ended half-way"),
        ((START, text_block(0, "x"), ending().split(b"event: message_stop")[0]), "upstream_cut", "ended half-way"),
        ((), "upstream_cut", "ended half-way"),
        ((START, b"event: ping\ndata: {not json\n\n", ending()), "upstream_malformed", "malformed"),
        (
            (START, event("error", error={"type": "overloaded_error", "message": "busy"}), ending()),
            "overloaded",
            "busy",
        ),
    ],
)
def test_a_message_stream_that_fails_never_ends_normally(frames: tuple[bytes, ...], code: str, message: str) -> None:
    found = to_chat(*frames)
    assert found[-1]["error"]["code"] == code
    assert message in found[-1]["error"]["message"]
    assert not any(one["choices"][0]["finish_reason"] for one in found[:-1])


CHAT = b"".join(
    [
        chunk(role="assistant", content=""),
        chunk(content="Héllo 天秤\n\n"),
        piece(0, "", "a", "f"),
        piece(0, '{"x":"ü"}'),
        b": a comment\n\n",
        chunk("tool_calls"),
        usage_chunk(prompt_tokens=1, completion_tokens=1),
        DONE,
    ]
)
CALL = call_block(1, "a", "f", '{"x":', '"ü"}')
MESSAGES = START + event("ping") + text_block(0, "Héllo 天秤\n\n") + CALL + ending("tool_use")


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(MESSAGES)), max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_cuts_change_nothing(cuts: list[int], line_end: bytes) -> None:
    for make, whole in ((ChatToMessagesStream, CHAT), (lambda: MessagesToChatStream(created=1), MESSAGES)):
        stream = make()
        expected = stream.feed(whole) + stream.close()
        sent = whole.replace(b"\n", line_end)
        ends = sorted({min(cut, len(sent)) for cut in cuts} | {len(sent)})
        stream, out, start = make(), b"", 0
        for end in ends:
            out += stream.feed(sent[start:end])
            start = end
        assert out + stream.close() == expected


def test_every_cut_off_stream_ends_in_an_error() -> None:
    for end in range(len(CHAT) - len(DONE) + 1):
        stream = ChatToMessagesStream()
        out = stream.feed(CHAT[:end]) + stream.close()
        assert events(out)[-1]["type"] == "error"
    for end in range(MESSAGES.rindex(b"event: message_stop") + 1):
        stream = MessagesToChatStream(created=1)
        out = stream.feed(MESSAGES[:end]) + stream.close()
        assert "error" in chunks(out)[-1]


KEYS = st.sampled_from(
    ["type", "index", "delta", "text", "content", "choices", "tool_calls", "function", "usage", "error"]
)
KINDS = st.sampled_from(
    ["content_block_delta", "content_block_start", "content_block_stop", "message_delta", "text_delta"]
)
JSON = st.recursive(
    st.none() | st.integers(-1, 3) | st.text(max_size=4) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(
    st.lists(
        JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n") | st.binary(max_size=20), max_size=6
    )
)
@example([b"data: [DONE]\n\n"])
@example([b"data:[DONE]"])
def test_whatever_an_upstream_sends_is_an_answer_or_an_error(pieces: list[bytes]) -> None:
    for stream in (ChatToMessagesStream(thinking=True), MessagesToChatStream(created=1, include_usage=True)):
        out = b"".join(map(stream.feed, pieces)) + stream.close()
        assert b"error" in out
        assert stream.close() == b""
        assert (stream.failure is not None) == (b"malformed" in out or b"without an answer" in out)
