"""Anthropic messages requests for models behind the OpenAI dialect."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tenbin.errors import RequestError
from tenbin.upstream.translate import messages_to_chat

GPT = "gpt-4o-mini"
TOOL = {"name": "look_up", "description": "Looks up", "input_schema": {"type": "object", "properties": {}}}


def translated(model: str = GPT, cap: int | None = None, **fields: Any) -> dict[str, Any]:
    body = {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}], **fields}
    before = copy.deepcopy(body)
    out = messages_to_chat(body, model, cap)
    assert body == before
    return out


def test_a_plain_request_is_its_text() -> None:
    assert translated() == {
        "model": GPT,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_completion_tokens": 100,
    }


def test_the_body_alone_is_enough() -> None:
    assert messages_to_chat({"model": "m", "messages": []})["model"] == "m"


@pytest.mark.parametrize(
    ("model", "field"),
    [("gpt-5.2", "max_completion_tokens"), ("o3", "max_completion_tokens"), ("deepseek-chat", "max_tokens")],
)
def test_the_cap_has_the_name_that_the_model_takes(model: str, field: str) -> None:
    assert translated(model, cap=50)[field] == 50
    assert translated(model, cap=500)[field] == 100


def test_system_blocks_become_one_message_and_later_ones_stay_where_they_are() -> None:
    system = [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "B"}]
    history = [{"role": "user", "content": "x"}, {"role": "system", "content": "C"}, {"role": "user", "content": "y"}]
    assert translated(system=system, messages=history)["messages"] == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "x"},
        {"role": "system", "content": "C"},
        {"role": "user", "content": "y"},
    ]


@pytest.mark.parametrize("system", [["{note}", "Be brief."], ["{note}\nBe brief."]])
def test_the_note_of_claude_code_to_anthropic_is_left_out(system: list[str]) -> None:
    note = "x-anthropic-billing-header: cc_version=2.1.117; cc_entrypoint=cli; cch=71fea;"
    blocks = [{"type": "text", "text": text.format(note=note)} for text in system]
    asked = [{"role": "user", "content": f"{note} is what?"}]
    said = translated(system=blocks, messages=asked)["messages"]
    assert said == [{"role": "system", "content": "Be brief."}, asked[0]]


def test_a_tool_loop_becomes_calls_and_tool_messages_before_what_the_user_says() -> None:
    history = [
        {"role": "user", "content": "x"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"q": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "look_up", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "one"},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "no such page"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                    ],
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ]
    _, assistant, first, second, user = translated(tools=[TOOL], messages=history)["messages"]
    assert assistant["content"] == "I look."
    assert [(one["id"], one["function"]["arguments"]) for one in assistant["tool_calls"]] == [
        ("toolu_1", '{"q":1}'),
        ("toolu_2", "{}"),
    ]
    assert first == {"role": "tool", "tool_call_id": "toolu_1", "content": "one"}
    assert second["content"].startswith("Error: no such page")
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert user["content"][0]["image_url"]["url"] == "data:image/png;base64,AA=="


def test_results_in_several_user_turns_stand_right_behind_their_calls() -> None:
    calls = [{"type": "tool_use", "id": name, "name": "f", "input": {}} for name in ("a", "b", "c")]
    picture = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    history = [
        {"role": "assistant", "content": calls},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [picture]}]},
        {"role": "system", "content": "S"},
        {"role": "user", "content": "wait"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name} for name in ("b", "c")]},
        {"role": "assistant", "content": "done"},
    ]
    out = translated(messages=[*history, {"role": "user", "content": "go"}])["messages"]
    assert [message["role"] for message in out] == [
        *("assistant", "tool", "tool", "tool", "user", "system", "user", "assistant", "user")
    ]
    assert [message["tool_call_id"] for message in out[1:4]] == ["a", "b", "c"]


def test_pictures_and_documents_keep_their_bytes() -> None:
    content = [
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        {"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
    ]
    parts = translated(messages=[{"role": "user", "content": content}])["messages"][0]["content"]
    assert parts == [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "text", "text": "T\n\nwords"},
    ]


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        (None, None, None),
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "look_up"}, {"type": "function", "function": {"name": "look_up"}}, None),
    ],
)
def test_tools_and_their_choice(choice: Any, expected: Any, parallel: bool | None) -> None:
    out = translated(tools=[TOOL], tool_choice=choice)
    assert out["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "look_up",
                "description": "Looks up",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    assert (out.get("tool_choice"), out.get("parallel_tool_calls")) == (expected, parallel)


def test_stop_user_tier_sampling_and_stream() -> None:
    out = translated(
        stop_sequences=["END"], metadata={"user_id": "u"}, service_tier="auto", temperature=0.5, top_p=0.9, stream=True
    )
    assert (out["stop"], out["user"], out["service_tier"]) == (["END"], "u", "auto")
    assert (out["temperature"], out["top_p"]) == (0.5, 0.9)
    assert (out["stream"], out["stream_options"]) == (True, {"include_usage": True})
    assert "temperature" not in translated("gpt-5.2", temperature=0.5)


def test_a_long_user_id_becomes_a_digest_of_the_length_openai_takes() -> None:
    users = {translated(metadata={"user_id": "user_" + "a" * 80 + end})["user"] for end in "xy"}
    assert len(users) == 2
    assert {len(user) for user in users} == {64}


@pytest.mark.parametrize(
    ("model", "fields", "effort"),
    [
        ("gpt-5.2", {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "low"),
        ("gpt-5.2", {"thinking": {"type": "enabled", "budget_tokens": 30_000}}, "high"),
        ("gpt-5.2", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}, "medium"),
        ("gpt-5.2", {"thinking": {"type": "adaptive"}}, "high"),
        ("gpt-5.2", {"output_config": {"effort": "max"}}, "high"),
        ("gpt-5.2", {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, None),
        ("gpt-4o", {"thinking": {"type": "adaptive"}}, None),
        ("gpt-5.2", {}, None),
    ],
)
def test_thinking_becomes_an_effort_where_the_model_takes_one(model: str, fields: Any, effort: str | None) -> None:
    assert translated(model, **fields).get("reasoning_effort") == effort


def test_an_output_format_becomes_a_strict_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    out = translated(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert out["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": {}}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"thinking": True}, "thinking"),
        ({"tools": [TOOL], "tool_choice": {"type": "some"}}, "tool_choice"),
        ({"metadata": []}, "metadata"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        translated("gpt-5", **fields)
    assert (caught.value.status, caught.value.param) == (400, param)
