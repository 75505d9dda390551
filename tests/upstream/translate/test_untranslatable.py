"""What one dialect can ask for and the other cannot is named, whatever the body looks like."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import RequestError
from tenbin.upstream.translate import DROPPED, chat_to_messages, messages_to_chat, untranslatable

USER = {"role": "user", "content": "Hello"}
BLANK = {"role": "user", "content": " "}
ANSWER = {"role": "assistant", "content": "Hello to you"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CHAT_FIELDS = ("messages", "tools", "tool_choice", "response_format", "stop", "reasoning_effort", "max_tokens", "user")
MESSAGES_FIELDS = ("messages", "system", "tools", "tool_choice", "output_config", "thinking", "metadata", "max_tokens")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 2}, "n "),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"verbosity": "low"}, "verbosity"),
        ({"store": True}, "store"),
        ({"a_field_of_tomorrow": 1}, "a_field_of_tomorrow"),
        ({"response_format": {"type": "json_object"}}, "response_format json_object"),
        ({"stop": ["\n"]}, "stop"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0] of type custom"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice allowed_tools"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:image/tiff;base64,A"}}],
                    }
                ]
            },
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}, USER]}, "messages[0].audio"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"type": "custom"}]}, USER]}, "messages[0].tool_calls[0]"),
        ({"messages": [USER, {"role": "assistant", "content": "{"}]}, "messages[1]"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "messages[0], a turn that says nothing"),
        ({"messages": [{"role": "system", "content": ""}, {"role": "user", "content": []}]}, "messages[1], a turn"),
        ({"messages": [{"role": "user"}, {"role": "user", "content": [{"type": "text", "text": ""}]}]}, "messages[0],"),
        ({"messages": [{"role": "developer", "content": None}]}, "messages[0], a turn"),
        ({"messages": [USER, ANSWER, {"role": "system", "content": "Be brief."}, BLANK, BLANK]}, "messages[3], a turn"),
    ],
)
def test_what_only_openai_knows_is_named(fields: dict[str, Any], named: str) -> None:
    reason = untranslatable({"messages": [USER], **fields}, "openai", "anthropic")
    assert reason is not None
    assert reason.startswith(named)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"top_k": 5}, "top_k"),
        ({"container": "c"}, "container"),
        ({"inference_geo": "eu"}, "inference_geo"),
        ({"mcp_servers": [{}]}, "mcp_servers"),
        ({"max_tokens": 0}, "max_tokens 0"),
        ({"stop_sequences": list("abcde")}, "stop_sequences"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0] of type web_search_20250305"),
        ({"tools": [{"name": "f", "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{"name": "f" * 65}]}, "tools[0].name"),
        ({"output_config": {"task_budget": {}}}, "output_config.task_budget"),
        (
            {"output_config": {"format": {"schema": {"type": "object", "properties": {"a": {}}}}}},
            "output_config.format",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "file"}}]}]},
            "messages[0].content[0] (document)",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "server_tool_use"}]}, USER]},
            "messages[0].content[0]",
        ),
        ({"messages": [USER, {"role": "assistant", "content": "{"}]}, "messages[1]"),
    ],
)
def test_what_only_anthropic_knows_is_named(fields: dict[str, Any], named: str) -> None:
    reason = untranslatable({"max_tokens": 5, "messages": [USER], **fields}, "anthropic", "openai")
    assert reason is not None
    assert reason.startswith(named)


@pytest.mark.parametrize(
    "messages",
    [
        [BLANK, USER],
        [USER, BLANK],
        [USER, ANSWER, BLANK, USER],
        [{"role": "system", "content": "Say hello."}, BLANK],
        [USER, {"role": "assistant", "tool_calls": [{"id": "a"}]}, {"role": "tool", "tool_call_id": "a"}, BLANK],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}, BLANK],
    ],
)
def test_a_turn_without_a_word_bars_nobody_where_something_else_is_asked(messages: list[dict[str, Any]]) -> None:
    assert untranslatable({"messages": messages}, "openai", "anthropic") is None


def test_values_that_ask_for_nothing_bar_nobody() -> None:
    chat = {"n": 1, "logprobs": False, "modalities": ["text"], "audio": None, "store": False, "frequency_penalty": 0}
    assert (
        untranslatable({"messages": [USER], **chat, "seed": 1, "metadata": {"a": "b"}}, "openai", "anthropic") is None
    )
    assert untranslatable({"messages": [USER], "n": 7, "anything": 1}, "openai", "openai") is None
    claude = {"top_k": None, "speed": "standard", "cache_control": {"type": "ephemeral"}}
    assert untranslatable({"messages": [USER], **claude}, "anthropic", "openai") is None


def test_the_model_decides_where_generations_differ() -> None:
    prefilled = {"messages": [USER, {"role": "assistant", "content": "{"}]}
    assert untranslatable(prefilled, "openai", "anthropic", "claude-sonnet-4-5") is None
    assert untranslatable(prefilled, "openai", "anthropic", "claude-opus-4-6") is not None
    forced = {"messages": [USER], "tools": [{"type": "function", "function": {}}], "tool_choice": "required"}
    assert untranslatable(forced, "openai", "anthropic", "claude-opus-5") is None
    assert untranslatable(forced, "openai", "anthropic", "claude-opus-5-5") is not None
    assert untranslatable(forced, "openai", "anthropic", "claude-fable-5-1") is not None
    assert untranslatable(forced, "openai", "anthropic") is None
    schema = {"messages": [USER], "response_format": {"type": "json_schema", "json_schema": {}}}
    assert untranslatable(schema, "openai", "anthropic", "claude-sonnet-4-5") is None
    assert untranslatable(schema, "openai", "anthropic", "claude-3-5-haiku-latest") is not None


def test_a_table_by_name_is_not_closed_until_it_must_be_empty() -> None:
    table = {"type": "object", "properties": {"t": {"type": "object", "additionalProperties": {"type": "integer"}}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": table}}
    tool = {"type": "function", "function": {"name": "f", "parameters": table, "strict": True}}
    asking = ({"response_format": form}, "response_format json_schema"), ({"tools": [tool]}, "tools[0].strict")
    for fields, named in asking:
        reason = untranslatable({"messages": [USER], **fields}, "openai", "anthropic", "claude-sonnet-4-5")
        assert reason is not None
        assert reason.startswith(f"{named} with free property names")
    loose = {"type": "function", "function": {"name": "f", "parameters": table}}
    assert untranslatable({"messages": [USER], "tools": [loose]}, "openai", "anthropic") is None


def test_every_dropped_field_has_its_reason() -> None:
    assert set(DROPPED) == {"openai", "anthropic"}
    assert all(reason for fields in DROPPED.values() for reason in fields.values())


@given(st.dictionaries(st.sampled_from(CHAT_FIELDS), JSON))
def test_any_chat_body_is_translated_or_refused(body: dict[str, Any]) -> None:
    untranslatable(body, "openai", "anthropic")
    with suppress(RequestError):
        chat_to_messages(body, "claude-sonnet-4-6")


@given(st.dictionaries(st.sampled_from(MESSAGES_FIELDS), JSON))
def test_any_messages_body_is_translated_or_refused(body: dict[str, Any]) -> None:
    untranslatable(body, "anthropic", "openai")
    with suppress(RequestError):
        messages_to_chat(body, "gpt-5")
