"""What is sent upstream has the shape that the official clients' types declare."""

from __future__ import annotations

from typing import Any

import pytest

from tenbin.upstream.translate import chat_to_messages, messages_to_chat

pytestmark = pytest.mark.extra

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
CHAT: dict[str, Any] = {
    "messages": [
        {"role": "developer", "content": "Be kind"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
        {"role": "user", "content": "Sure?"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "reasoning_effort": "high",
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "stop": "END",
    "user": "u",
    "service_tier": "auto",
}


def plain(value: Any) -> Any:
    """Validated data with its lazy iterators read out, which is when their items are validated."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value if isinstance(value, str | int | float | None) else [plain(inner) for inner in value]


@pytest.fixture(scope="module")
def anthropic_shape() -> Any:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
    from pydantic import TypeAdapter

    return TypeAdapter(MessageCreateParamsNonStreaming)


@pytest.fixture(scope="module")
def openai_shape() -> Any:
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from pydantic import TypeAdapter

    return TypeAdapter(CompletionCreateParamsNonStreaming)


@pytest.mark.parametrize("model", ["claude-3-5-haiku-latest", "claude-sonnet-4-5", "claude-opus-4-7"])
@pytest.mark.parametrize("choice", ["auto", "required"])
def test_anthropic_requests(anthropic_shape: Any, model: str, choice: str) -> None:
    body = {**CHAT, "tool_choice": choice}
    if model.startswith("claude-3"):
        del body["response_format"]
    request = chat_to_messages(body, model)
    assert plain(anthropic_shape.validate_python(request)) == request


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5.2", "mistral-large"])
def test_openai_requests(openai_shape: Any, model: str) -> None:
    request = messages_to_chat(chat_to_messages(CHAT, "claude-sonnet-4-6"), model)
    assert plain(openai_shape.validate_python(request)) == request
