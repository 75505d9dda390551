"""Whole answers, from each dialect to the other."""

from __future__ import annotations

from typing import Any

import pytest

from tenbin.errors import NetworkError
from tenbin.upstream.translate import completion_to_message, message_to_completion

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "secret"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    },
}


def completion(finish: str | None = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-x", "choices": [choice], "usage": usage}


def test_a_message_becomes_a_completion() -> None:
    out = message_to_completion(MESSAGE, created=5)
    choice = out["choices"][0]
    assert (out["id"], out["object"], out["created"], out["model"]) == (
        "chatcmpl-msg_1",
        "chat.completion",
        5,
        "claude-x",
    )
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "I look."
    assert choice["message"]["reasoning_content"] == "hm"
    assert [call["function"] for call in choice["message"]["tool_calls"]] == [
        {"name": "f", "arguments": '{"a":1}'},
        {"name": "g", "arguments": "{}"},
    ]
    assert "secret" not in str(out)
    assert out["usage"] == {
        "prompt_tokens": 1110,
        "completion_tokens": 7,
        "total_tokens": 1117,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


def test_a_completion_becomes_a_message_and_its_tokens_are_counted_anthropics_way() -> None:
    usage = message_to_completion(MESSAGE, created=5)["usage"]
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    answer = completion("tool_calls", usage, content="I look.", reasoning_content="hm", tool_calls=[call])
    out = completion_to_message(answer)
    assert (out["id"], out["type"], out["model"]) == ("msg_chatcmpl-1", "message", "gpt-x")
    assert out["content"] == [
        {"type": "text", "text": "I look.", "citations": None},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
    ]
    assert out["stop_reason"] == "tool_use"
    assert out["usage"] == MESSAGE["usage"]
    thought = completion_to_message(answer, thinking=True)["content"][0]
    assert thought == {"type": "thinking", "thinking": "hm", "signature": ""}


def test_calls_of_one_id_or_none_are_told_apart() -> None:
    calls = [{"id": given, "type": "function", "function": {"name": "f"}} for given in ("0", "0", "", None)]
    found = completion_to_message(completion("tool_calls", tool_calls=calls))["content"]
    assert found[0]["id"] == "0"
    assert len({block["id"] for block in found}) == 4


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_a_message_ended(stop: str, finish: str) -> None:
    out = message_to_completion({**MESSAGE, "stop_reason": stop}, created=5)
    assert out["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(
    ("finish", "stop"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("tool_calls", "tool_use"), ("content_filter", "refusal")],
)
def test_why_a_completion_ended(finish: str, stop: str) -> None:
    assert completion_to_message(completion(finish, content="x"))["stop_reason"] == stop


def test_a_forced_call_ends_in_tool_use_although_openai_says_stop() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert completion_to_message(completion("stop", tool_calls=[call]))["stop_reason"] == "tool_use"


def test_a_refusal_stays_a_refusal() -> None:
    out = completion_to_message(completion("stop", content=None, refusal="I will not."))
    assert (out["stop_reason"], out["content"][0]["text"]) == ("refusal", "I will not.")
    assert out["stop_details"]["explanation"] == "I will not."
    back = message_to_completion(out, created=1)["choices"][0]
    assert (back["finish_reason"], back["message"]["refusal"]) == ("content_filter", "I will not.")


def test_counting_of_providers_who_put_reasoning_and_cache_elsewhere() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 20, "prompt_cache_hit_tokens": 4}
    counted = completion_to_message(completion(usage=usage, content="x"))["usage"]
    assert (counted["input_tokens"], counted["cache_read_input_tokens"], counted["output_tokens"]) == (6, 4, 10)


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": 3}, {"choices": [{"message": "x"}]}])
def test_an_answer_that_is_no_completion_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(NetworkError, match="not an OpenAI chat completion"):
        completion_to_message(answer)


@pytest.mark.parametrize(("arguments", "kept"), [('{"a":', '{"a":'), ("[1]", [1])])
def test_a_call_that_was_cut_off_or_is_no_object_is_not_lost(arguments: str, kept: Any) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    out = completion_to_message(completion("length", tool_calls=[call]))
    assert (out["stop_reason"], out["content"][0]["input"]) == ("max_tokens", {"arguments": kept})


@pytest.mark.parametrize("answer", [{"content": "x"}, {"content": [1]}, {"content": [{"type": "text", "text": 1}]}])
def test_an_answer_that_is_no_message_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(NetworkError, match="not an Anthropic message"):
        message_to_completion(answer, created=1)
