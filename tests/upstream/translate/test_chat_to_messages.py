"""OpenAI chat requests for Anthropic models."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tenbin.errors import RequestError
from tenbin.upstream.translate import chat_to_messages

SONNET_45 = "claude-sonnet-4-5-20250929"
SONNET_46 = "claude-sonnet-4-6"
OPUS_47 = "claude-opus-4-7"
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def translated(model: str = SONNET_45, cap: int | None = None, **fields: Any) -> dict[str, Any]:
    body = {"model": "tenbin/auto", "messages": [{"role": "user", "content": "Hello"}], **fields}
    before = copy.deepcopy(body)
    out = chat_to_messages(body, model, cap)
    assert body == before
    return out


def function(name: str = "look_up", **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    return {"type": "function", "function": {"name": name, "parameters": schema, **fields}}


def call(call_id: str, arguments: str = '{"q":"x"}', name: str = "look_up") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_a_plain_request_is_its_text() -> None:
    assert translated() == {
        "model": SONNET_45,
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


def test_system_and_developer_messages_become_the_system_with_their_cache_marks() -> None:
    cached = {"type": "text", "text": "Rules", "cache_control": {"type": "ephemeral"}}
    out = translated(
        messages=[
            {"role": "system", "content": [cached]},
            {"role": "developer", "content": "Be brief"},
            {"role": "user", "content": "Hello"},
        ]
    )
    assert out["system"] == [cached, {"type": "text", "text": "Be brief"}]
    assert [turn["role"] for turn in out["messages"]] == ["user"]
    assert translated(messages=[{"role": "system", "content": "A"}, {"role": "user", "content": "B"}])["system"] == "A"


def test_later_system_messages_stand_where_the_model_takes_them() -> None:
    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "system", "content": "From now on be brief"},
        {"role": "user", "content": "c"},
    ]
    system = [{"type": "text", "text": "From now on be brief"}]
    turns = translated("claude-opus-5", messages=history)["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "system"]
    assert turns[-1]["content"] == system
    assert translated(messages=history)["system"] == "From now on be brief"
    between = [*history[:3], {"role": "assistant", "content": "d"}, {"role": "user", "content": "e"}]
    assert translated("claude-opus-5", messages=between)["system"] == "From now on be brief"
    final = [history[0], history[2]]
    assert [turn["role"] for turn in translated("claude-opus-5", messages=final)["messages"]] == ["user", "system"]


def test_a_request_of_system_messages_alone_is_asked_by_the_user() -> None:
    out = translated(messages=[{"role": "system", "content": "Say hello"}])
    assert out["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Say hello"}]}]
    assert "system" not in out


def test_pictures_and_documents_keep_their_bytes() -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
    ]
    blocks = translated(messages=[{"role": "user", "content": content}])["messages"][0]["content"]
    sources = [block.get("source") for block in blocks]
    assert sources == [
        None,
        {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        {"type": "url", "url": "https://example.org/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
    ]
    assert blocks[3]["title"] == "a.pdf"


def test_tool_calls_and_their_results_become_blocks_of_one_turn_each() -> None:
    out = translated(
        tools=[function()],
        messages=[
            {"role": "user", "content": "Look up x and y"},
            {"role": "assistant", "content": "I look.", "tool_calls": [call("call_a"), call("call_b", "")]},
            {"role": "tool", "tool_call_id": "call_a", "content": "one"},
            {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": "And now?"},
        ],
    )
    assert out["messages"][1]["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "call_a", "name": "look_up", "input": {"q": "x"}},
        {"type": "tool_use", "id": "call_b", "name": "look_up", "input": {}},
    ]
    assert out["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "call_a", "content": "one"},
            {"type": "tool_result", "tool_use_id": "call_b", "content": "two"},
            {"type": "text", "text": "And now?"},
        ],
    }


def test_results_stand_first_in_their_turn() -> None:
    calls = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in ("a", "b")]
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("a", "b")]
    said = {"role": "user", "content": "wait"}
    out = translated(messages=[said, {"role": "assistant", "tool_calls": calls}, results[0], said, results[1]])
    assert [block["type"] for block in out["messages"][-1]["content"]] == ["tool_result", "tool_result", "text"]


def test_arguments_that_are_no_object_are_kept_as_text() -> None:
    history = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [call("a", '{"q": ')]},
        {"role": "tool", "tool_call_id": "a", "content": "bad arguments"},
    ]
    assert translated(messages=history)["messages"][1]["content"][0]["input"] == {"arguments": '{"q": '}


def test_ids_that_anthropic_refuses_or_that_occur_twice_are_renamed_together_with_their_results() -> None:
    history = [{"role": "user", "content": "x"}]
    for answer in ("first", "second"):
        history += [
            {"role": "assistant", "tool_calls": [call("functions.look_up:0")]},
            {"role": "tool", "tool_call_id": "functions.look_up:0", "content": answer},
        ]
    turns = translated(messages=history)["messages"]
    calls = [block["id"] for turn in turns for block in turn["content"] if block["type"] == "tool_use"]
    results = [block["tool_use_id"] for turn in turns for block in turn["content"] if block["type"] == "tool_result"]
    assert calls == results
    assert len(set(calls)) == 2
    assert all(one.isalnum() for one in calls)


def test_tools_of_a_history_without_tools_are_declared_and_out_of_reach() -> None:
    history = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [call("a")]},
        {"role": "tool", "tool_call_id": "a", "content": "y"},
    ]
    out = translated(messages=history)
    assert [tool["name"] for tool in out["tools"]] == ["look_up"]
    assert out["tool_choice"] == {"type": "none"}


def test_empty_and_blank_texts_are_left_out_and_neighbours_joined() -> None:
    out = translated(
        messages=[
            {"role": "user", "content": ""},
            {"role": "user", "content": [{"type": "text", "text": " \n"}, {"type": "text", "text": "a"}]},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "b", "name": "Ann"},
        ]
    )
    assert out["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ({"type": "function", "function": {"name": "look_up"}}, None, {"type": "tool", "name": "look_up"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("auto", True, {"type": "auto"}),
    ],
)
def test_tool_choice(choice: Any, parallel: bool | None, expected: Any) -> None:
    out = translated(tools=[function()], tool_choice=choice, parallel_tool_calls=parallel)
    assert out.get("tool_choice") == expected


def test_a_tool_without_parameters_takes_an_empty_object_and_a_choice_without_tools_is_left_out() -> None:
    bare = {"type": "function", "function": {"name": "now", "description": "The time"}}
    assert translated(tools=[bare])["tools"] == [
        {"name": "now", "description": "The time", "input_schema": {"type": "object", "properties": {}}}
    ]
    assert "tool_choice" not in translated(tool_choice="auto")


def test_a_strict_tool_keeps_its_promise_with_what_anthropic_can_enforce() -> None:
    limited = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    tool = translated(tools=[function(parameters=limited, strict=True)])["tools"][0]
    assert tool["strict"] is True
    assert tool["input_schema"]["additionalProperties"] is False
    assert tool["input_schema"]["properties"]["n"] == {"type": "integer", "description": "{minimum: 1}"}


@pytest.mark.parametrize(
    ("fields", "cap", "expected"),
    [
        ({"max_tokens": 10}, None, 10),
        ({"max_completion_tokens": 20, "max_tokens": 10}, None, 20),
        ({"max_tokens": 10_000}, 4000, 4000),
        ({}, 4000, 4000),
        ({"max_tokens": None}, None, 32_000),
    ],
)
def test_max_tokens_is_the_callers_then_the_candidates_then_the_models(fields: Any, cap: Any, expected: int) -> None:
    assert translated(cap=cap, **fields)["max_tokens"] == expected


def test_stop_user_tier_and_stream() -> None:
    out = translated(stop=["END", "STOP"], user="u-1", service_tier="default", stream=True)
    assert (out["stop_sequences"], out["metadata"]) == (["END", "STOP"], {"user_id": "u-1"})
    assert (out["service_tier"], out["stream"]) == ("standard_only", True)
    assert translated(stop="END")["stop_sequences"] == ["END"]
    assert translated(safety_identifier="s", user="u")["metadata"] == {"user_id": "s"}


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        (SONNET_45, {"temperature": 1.7}, {"temperature": 1}),
        (SONNET_45, {"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3}),
        (SONNET_45, {"temperature": 1, "top_p": 0.9}, {"top_p": 0.9}),
        ("claude-3-5-haiku-20241022", {"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3, "top_p": 0.9}),
        (OPUS_47, {"temperature": 0.3, "top_p": 0.9}, {}),
        (SONNET_45, {"temperature": 0.3, "reasoning_effort": "high"}, {}),
        (SONNET_45, {"temperature": 0}, {"temperature": 0}),
    ],
)
def test_sampling_is_what_the_model_takes(model: str, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    out = translated(model, **asked)
    assert {key: out[key] for key in ("temperature", "top_p") if key in out} == expected


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "effort"),
    [
        (SONNET_45, {"reasoning_effort": "medium"}, {"type": "enabled", "budget_tokens": 8192}, None),
        (SONNET_45, {"reasoning_effort": "high", "max_tokens": 4096}, {"type": "enabled", "budget_tokens": 3072}, None),
        (SONNET_45, {"reasoning_effort": "high", "max_tokens": 1500}, None, None),
        (SONNET_45, {"reasoning_effort": "none"}, None, None),
        (SONNET_46, {"reasoning_effort": "minimal"}, {"type": "adaptive"}, "low"),
        (SONNET_46, {"reasoning_effort": "xhigh"}, {"type": "adaptive"}, "high"),
        (OPUS_47, {"reasoning_effort": "xhigh"}, {"type": "adaptive"}, "xhigh"),
        (OPUS_47, {"reasoning_effort": "none"}, {"type": "disabled"}, None),
        ("claude-sonnet-5-5", {"reasoning_effort": "none"}, {"type": "between_tools"}, None),
        ("claude-opus-5-5", {"reasoning_effort": "none"}, None, "low"),
        ("claude-3-5-haiku-20241022", {"reasoning_effort": "high"}, None, None),
        (SONNET_45, {"reasoning_effort": "high", "tools": [function()], "tool_choice": "required"}, None, None),
        (OPUS_47, {"reasoning_effort": "high", "tools": [function()], "tool_choice": "required"}, None, "high"),
    ],
)
def test_reasoning_effort_is_asked_for_as_the_model_takes_it(
    model: str, asked: Any, thinking: Any, effort: Any
) -> None:
    out = translated(model, **asked)
    assert out.get("thinking") == thinking
    assert out.get("output_config", {}).get("effort") == effort


def test_json_schema_becomes_the_output_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    out = translated(response_format=wanted, reasoning_effort="low", model=SONNET_46)
    assert out["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"a": {"type": "string", "description": "{maxLength: 3}"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }
    assert out["output_config"]["effort"] == "low"
    assert "output_config" not in translated(response_format={"type": "text"})


def test_a_closing_assistant_turn_is_a_prefill_without_white_space_at_its_end() -> None:
    history = [{"role": "user", "content": "Json?"}, {"role": "assistant", "content": "{ \n"}]
    assert translated(messages=history)["messages"][-1]["content"] == [{"type": "text", "text": "{"}]
    with pytest.raises(RequestError, match=r"messages\[1\]"):
        translated(OPUS_47, messages=history)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "user", "content": [1]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"tools": [3]}, "tools[0]"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
        ({"tool_choice": 7, "tools": [function()]}, "tool_choice"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        translated(SONNET_45, **fields)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_a_field_without_counterpart_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="logprobs has no counterpart"):
        translated(logprobs=True)
