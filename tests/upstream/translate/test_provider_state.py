"""State of one provider in a history: found, and taken out without touching the rest."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tenbin.upstream.translate import chat_to_messages, is_mid_tool_loop, messages_to_chat, state_in, strip_state

USER = {"role": "user", "content": "Hello"}
CALLING = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    ],
}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "1"}]}
CHAT_CALLING = {
    "role": "assistant",
    "content": None,
    "reasoning_content": "hm",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
CHAT_RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "1"}


@pytest.mark.parametrize(
    ("messages", "dialect", "expected"),
    [
        ([USER], "anthropic", set()),
        ([USER, CALLING, RESULT], "anthropic", {"thinking_signature", "redacted_thinking", "open_tool_calls"}),
        (
            [{"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": ""}]}, USER],
            "anthropic",
            {"unsigned_thinking"},
        ),
        ([USER, CHAT_CALLING, CHAT_RESULT], "openai", {"open_tool_calls", "unsigned_thinking"}),
        ([USER, {"role": "assistant", "content": "1", "reasoning_content": None}, USER], "openai", set()),
        (
            [{"role": "assistant", "reasoning_details": [{"type": "reasoning.encrypted"}], "content": "a"}, USER],
            "openai",
            {"encrypted_reasoning"},
        ),
        ([{"type": "reasoning", "encrypted_content": "gAAA"}], "openai", {"encrypted_reasoning"}),
        (["no message", None], "openai", set()),
    ],
)
def test_state_is_found(messages: Any, dialect: str, expected: set[str]) -> None:
    assert state_in(messages, dialect) == expected


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], False),
        ([USER], False),
        ([USER, CALLING], True),
        ([USER, CALLING, RESULT], True),
        ([USER, CHAT_CALLING], True),
        ([USER, CHAT_CALLING, CHAT_RESULT], True),
        ([USER, CHAT_CALLING, CHAT_RESULT, USER], False),
    ],
)
def test_a_tool_loop_is_open_until_the_assistant_has_answered(messages: Any, expected: bool) -> None:
    assert is_mid_tool_loop(messages) is expected


def test_an_anthropic_history_is_stripped_and_still_ties_results_to_calls() -> None:
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}]}
    body = {"model": "m", "system": "s", "messages": [USER, CALLING, RESULT, thought, USER]}
    before = copy.deepcopy(body)
    stripped = strip_state(body)
    assert body == before
    assert state_in(stripped["messages"], "anthropic") == set()
    (use,) = stripped["messages"][1]["content"]
    (result,) = stripped["messages"][2]["content"]
    assert use["id"] == result["tool_use_id"] != "toolu_1"
    assert len(use["id"]) == 9
    assert use["id"].isalnum()
    assert [message["role"] for message in stripped["messages"]] == ["user", "assistant", "user", "user"]
    assert strip_state(body) == stripped
    assert strip_state(body, keeps=2)["messages"] == [*stripped["messages"][:3], thought, USER]
    assert strip_state(body, keeps=9) == body


def test_a_chat_history_is_stripped_and_still_ties_results_to_calls() -> None:
    body = {"messages": [USER, CHAT_CALLING, CHAT_RESULT, CHAT_CALLING, CHAT_RESULT, USER]}
    before = copy.deepcopy(body)
    messages = strip_state(body)["messages"]
    assert body == before
    calls = [message["tool_calls"][0]["id"] for message in messages if "tool_calls" in message]
    assert calls == [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert len(set(calls)) == 2
    assert not any("reasoning_content" in message for message in messages)


def test_a_stripped_history_passes_both_ways() -> None:
    claude = strip_state({"max_tokens": 5, "messages": [USER, CALLING, RESULT]})
    chat = messages_to_chat(claude, "gpt-5")
    assert chat["messages"][1]["tool_calls"][0]["id"] == chat["messages"][2]["tool_call_id"]
    back = chat_to_messages(chat, "claude-sonnet-4-6")
    assert back["messages"][1]["content"][0]["id"] == claude["messages"][1]["content"][0]["id"]


@pytest.mark.parametrize("body", [{}, {"messages": "x"}, {"messages": [1, {"content": [2]}, {"tool_calls": [3]}]}])
def test_odd_bodies_pass_through(body: dict[str, Any]) -> None:
    assert strip_state(body) == body
