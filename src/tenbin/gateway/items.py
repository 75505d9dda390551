"""The items of /v1/responses as messages, for what reads conversations: routing, sessions, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def message_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as a message: the call of a tool as chat completions have it, what else has no role as a tool's."""
    content = item.get("content", item.get("output"))
    asked = item.get("arguments", item.get("input"))
    if "role" not in item and isinstance(asked, str):
        return {"role": "assistant", "content": content, "tool_calls": [{"function": {"arguments": asked}}]}
    return {"role": item.get("role", "tool"), "content": content}
