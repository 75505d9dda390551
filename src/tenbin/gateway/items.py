"""The items of /v1/responses as messages, for what reads conversations: routing, sessions, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OF_CLIENTS = ("_output", "_response")
"""How the types of items end that clients bring; all others without a role a model wrote."""


def message_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as a message: the call of a tool as chat completions have it, what a tool brought as a tool's.

    Of encrypted reasoning it tells that there is any.
    """
    content = item.get("content", item.get("output"))
    asked = item.get("arguments", item.get("input"))
    is_brought = str(item.get("type")).endswith(OF_CLIENTS)
    message = {"role": item.get("role", "tool" if is_brought else "assistant"), "content": content}
    if "role" not in item and isinstance(asked, str):
        message["tool_calls"] = [{"function": {"arguments": asked}}]
    if item.get("encrypted_content"):
        message["encrypted_content"] = True
    return message
