"""Items of /v1/responses as the router reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.features.routing_text import read_conversation
from tenbin.gateway.incoming import read_responses

CALL = {"type": "function_call", "call_id": "1", "name": "edit", "arguments": "a long patch"}
CUSTOM = {"type": "custom_tool_call", "call_id": "1", "name": "edit", "input": "a long patch"}


@pytest.mark.parametrize("call", [CALL, CUSTOM])
def test_what_a_tool_is_asked_counts_as_it_does_in_chat_completions(call: dict[str, Any]) -> None:
    """It was left out, and with it most of an agent's conversation."""
    output = {"type": f"{call['type']}_output", "call_id": "1", "output": "done"}
    body = {"model": "auto", "input": [{"role": "user", "content": "Mend it."}, call, output]}
    tool = {"id": "1", "type": "function", "function": {"name": "edit", "arguments": "a long patch"}}
    chat = [
        {"role": "user", "content": "Mend it."},
        {"role": "assistant", "content": None, "tool_calls": [tool]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    assert read_conversation(read_responses(json.dumps(body).encode()).messages) == read_conversation(chat)
