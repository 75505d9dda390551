"""One function gives the text to embed, in fit and in serve, for whatever clients send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.routing_text import MAX_CHARACTERS, read_conversation, routing_text

TOOL_ROUND: list[dict[str, Any]] = [
    {"role": "system", "content": "You are a clerk."},
    {"role": "user", "content": "What is the weather in Kyoto?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "function": {"name": "weather", "arguments": '{"city": "Kyoto"}'}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "18 degrees"},
]
ANTHROPIC_ROUND: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "What is the weather in Kyoto?"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "name": "weather", "input": {"city": "Kyoto"}}]},
    {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "18 degrees"}]}]},
]


def test_a_prompt_and_its_message_give_the_same_text() -> None:
    prompt = "Why is the sky blue?"
    for content in (prompt, [{"type": "text", "text": prompt}], [{"type": "input_text", "text": prompt}]):
        assert routing_text([{"role": "user", "content": content}]) == routing_text(prompt) == prompt


def test_the_last_user_turn_comes_first_then_the_rest() -> None:
    text = routing_text([*TOOL_ROUND, {"role": "user", "content": "And in Nara?"}])
    assert text.startswith("And in Nara?\nYou are a clerk.")
    assert text.endswith("18 degrees")


@pytest.mark.parametrize("messages", [TOOL_ROUND, ANTHROPIC_ROUND])
def test_a_tool_result_is_no_user_turn(messages: list[dict[str, Any]]) -> None:
    conversation = read_conversation(messages)
    assert conversation.last_user == "What is the weather in Kyoto?"
    assert conversation.user_turns == 1
    assert conversation.tool_messages == 2
    assert "18 degrees" in conversation.rest
    assert "Kyoto" in conversation.rest


def test_what_a_tool_is_asked_is_read_in_every_form() -> None:
    for tool in ({"function": {"name": "f", "arguments": "patch"}}, {"type": "custom", "custom": {"input": "patch"}}):
        conversation = read_conversation([{"role": "assistant", "content": None, "tool_calls": [tool]}])
        assert (conversation.text, conversation.tool_messages) == ("patch", 1)


def test_text_beside_a_tool_result_is_a_user_turn() -> None:
    reply = {"role": "user", "content": [{"type": "tool_result", "content": "18"}, {"type": "text", "text": "Nara?"}]}
    assert read_conversation([*ANTHROPIC_ROUND, reply]).user_turns == 2


@pytest.mark.parametrize(
    "part",
    [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "said in it"},
            "title": "t",
        },
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "said in it"}]}},
        {"type": "document", "source": {"type": "content", "content": "said in it"}},
        {"type": "search_result", "source": "https://x", "content": [{"type": "text", "text": "said in it"}]},
        {"type": "file", "file": {"filename": "t.txt", "file_data": "data:text/plain;base64,c2FpZCBpbiBpdA=="}},
        {"type": "input_file", "file_data": "data:application/json; charset=utf-8;base64,c2FpZCBpbiBpdA=="},
    ],
)
def test_what_retrieved_documents_say_is_read(part: dict[str, Any]) -> None:
    """They counted as a picture of no tokens, however long: no context window was too small for them."""
    conversation = read_conversation([{"role": "user", "content": [part, {"type": "text", "text": "What is it?"}]}])
    assert conversation.last_user == "said in it\nWhat is it?"
    assert conversation.media_parts == 0
    result = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [part]}]}]
    assert read_conversation(result).user_turns == 0
    assert read_conversation(result).text == "said in it"


@pytest.mark.parametrize(
    "file_data",
    [None, 7, "", "c2FpZA==", "data:application/pdf;base64,c2FpZA==", "data:text/plain;base64,c", "data:text/plain,c"],
)
def test_a_file_that_is_no_text_is_counted_and_not_read(file_data: Any) -> None:
    conversation = read_conversation(
        [{"role": "user", "content": [{"type": "file", "file": {"file_data": file_data}}]}]
    )
    assert (conversation.text, conversation.media_parts) == ("", 1)


@pytest.mark.parametrize("kind", ["image_url", "image", "input_audio", "document"])
def test_media_are_counted_and_not_embedded(kind: str) -> None:
    picture = {"type": kind, "image_url": {"url": "data:image/png;base64,SECRET"}}
    conversation = read_conversation([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}])
    assert (conversation.media_parts, conversation.user_turns, conversation.text) == (1, 1, "What is it?")


def test_head_and_tail_of_a_long_turn_are_kept() -> None:
    text = routing_text("HEAD " + "x" * 100_000 + " TAIL")
    assert len(text) == MAX_CHARACTERS
    assert text.startswith("HEAD ")
    assert text.endswith(" TAIL")


def test_a_long_history_leaves_the_last_turn_its_room() -> None:
    question = "q" * 1500
    text = routing_text([{"role": "system", "content": "S" * 9000}, {"role": "user", "content": question}])
    assert text.startswith(question)
    assert len(text) == MAX_CHARACTERS


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{}],
        [{"role": "user"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": 7}],
        [{"role": "user", "content": [None, 3, {"type": ["odd"]}, {"type": "text"}, {"type": "text", "text": None}]}],
        [{"role": "assistant", "tool_calls": [None, {"function": None}, {"function": {"arguments": None}}]}],
        ["not a message"],
    ],
)
def test_what_is_unknown_is_passed_over(messages: Any) -> None:
    assert routing_text(messages) == ""


def test_deep_nesting_ends() -> None:
    content: Any = "deep"
    for _ in range(5000):
        content = [{"type": "tool_result", "content": content}]
    assert routing_text([{"role": "user", "content": content}]) == ""


turns = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(max_size=80)), max_size=5)


@given(turns, st.integers(1, 60))
def test_the_limit_holds_and_short_conversations_are_whole(said: list[tuple[str, str]], limit: int) -> None:
    messages = [{"role": role, "content": content} for role, content in said]
    assert len(routing_text(messages, limit)) <= limit
    whole = routing_text(messages)
    assert len(whole) <= MAX_CHARACTERS
    for _, content in said:
        assert content.strip() in whole
