"""Servers that write OpenAI's dialect their own way, where what they mean is certain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.upstream.translate import ChatToMessagesStream, completion_to_message
from tenbin.upstream.words import Words


@pytest.mark.parametrize(("arguments", "given"), [({"a": 1}, {"a": 1}), ({}, {}), (None, {}), ('{"a": 1}', {"a": 1})])
def test_arguments_that_are_an_object_already_are_taken_as_they_are(arguments: Any, given: Any) -> None:
    """Such an answer was none: it was asked for elsewhere, and paid twice."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = {"id": "c", "choices": [{"index": None, "message": message, "finish_reason": "tool_calls"}]}
    assert completion_to_message(answer)["content"][0]["input"] == given


@pytest.mark.parametrize("index", [{"index": None}, {}, {"index": 0}])
def test_the_only_choice_of_a_stream_needs_no_number_and_arguments_may_be_an_object(index: dict[str, Any]) -> None:
    """Both ended an answer half-way."""
    function = {"name": "f", "arguments": {"a": "é"}}
    deltas = [{"content": "Let me see."}, {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]}]
    frames = [json.dumps({"id": "c", "choices": [{**index, "delta": delta}]}).encode() for delta in deltas]
    sent = b"".join(b"data: " + frame + b"\n\n" for frame in frames)
    stream = ChatToMessagesStream()
    events = (stream.feed(sent + b"data: [DONE]\n\n") + stream.close()).decode()
    assert [piece in events for piece in ("Let me see.", '"name":"f"', '{\\"a\\":\\"é\\"}', "message_stop")] == [
        True
    ] * 4
    words = Words()
    words.feed(sent)
    assert words.text == "Let me see."


def test_a_message_is_named_by_the_first_chunk_that_has_a_name() -> None:
    """Every streamed message of Azure's was called `msg_`, of a model without a name."""
    filtered = {"id": "", "model": "", "object": "", "created": 0, "choices": [], "prompt_filter_results": [{}]}
    said = {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Yes."}}]}
    stream = ChatToMessagesStream()
    events = b"".join(stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n") for chunk in (filtered, said))
    start = json.loads(events.partition(b"data: ")[2].partition(b"\n")[0])
    assert (start["message"]["id"], start["message"]["model"]) == ("msg_chatcmpl-1", "gpt-4o")
    empty = ChatToMessagesStream()
    assert empty.feed(b"data: " + json.dumps(filtered).encode() + b"\n\n") == b""
    assert b"event: error" in empty.feed(b"data: [DONE]\n\n")


PIECES = [("f", '{"x": 1}'), ("g", '{"y": 2}')]


@pytest.mark.parametrize("index", [{"index": 0}, {"index": None}, {}])
@pytest.mark.parametrize("id_", [{"id": ""}, {"id": None}, {}])
@pytest.mark.parametrize("is_one_chunk", [True, False])
def test_calls_that_are_neither_counted_nor_named_are_told_apart(
    index: dict[str, Any], id_: dict[str, Any], is_one_chunk: bool
) -> None:
    """All but the first call of an answer were lost without a word."""
    calls = [{**index, **id_, "function": {"name": name, "arguments": given}} for name, given in PIECES]
    deltas = [{"tool_calls": calls}] if is_one_chunk else [{"tool_calls": [call]} for call in calls]
    stream = ChatToMessagesStream()
    frames = [json.dumps({"id": "c", "choices": [{"index": 0, "delta": delta}]}).encode() for delta in deltas]
    events = stream.feed(b"".join(b"data: " + frame + b"\n\n" for frame in frames) + b"data: [DONE]\n\n").decode()
    begun = [json.loads(line[6:]) for line in events.split("\n") if "content_block_start" in line and "data" in line]
    assert [event["content_block"]["name"] for event in begun] == ["f", "g"]
    assert len({event["content_block"]["id"] for event in begun}) == 2
    assert [json.dumps(given)[1:-1] in events for _, given in PIECES] == [True, True]


def test_a_call_whose_name_comes_with_every_piece_is_one() -> None:
    pieces = ['{"x"', ": 1}"]
    deltas = [{"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": piece}}]} for piece in pieces]
    frames = [json.dumps({"id": "c", "choices": [{"index": 0, "delta": delta}]}).encode() for delta in deltas]
    stream = ChatToMessagesStream()
    events = stream.feed(b"".join(b"data: " + frame + b"\n\n" for frame in frames) + b"data: [DONE]\n\n")
    assert events.count(b'"type":"content_block_start"') == 1
