"""Numbers for the tool calls of a streamed answer, by which clients put their pieces together.

Gemini's endpoint and some others leave them out, and OpenAI's own client breaks off at the first call without one.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tenbin.upstream.frame_stream import decoded_as
from tenbin.upstream.loose_json import members_of

_NUMBERED = re.compile(rb'"index"\s*:\s*[^\sn]')
_CHOICES: msgspec.json.Decoder[list[dict[str, Any]] | None] = msgspec.json.Decoder(list[dict[str, Any]] | None)


def is_unnumbered(calls: msgspec.Raw) -> bool:
    """Whether calls of a piece bear no number."""
    raw = bytes(calls)
    return b"{" in raw and _NUMBERED.search(raw) is None


class CallNumbers:
    """Counts the calls of one answer: an id that is new, or a name without an id, begins another one."""

    def __init__(self) -> None:
        self._ids: dict[Any, list[str]] = {}

    def numbered(self, data: bytes) -> bytes:
        """A chunk whose calls bear their numbers; all else in it stays as it was written."""
        members = members_of(data)
        choices = decoded_as(_CHOICES, bytes(members.get("choices", b"null")))
        if not choices:
            return data
        for choice in choices:
            delta = choice.get("delta")
            calls = delta.get("tool_calls") if isinstance(delta, dict) else None
            for call in calls if isinstance(calls, list) else ():
                if isinstance(call, dict) and call.get("index") is None:
                    call["index"] = self._number(choice.get("index"), call)
        members["choices"] = msgspec.Raw(msgspec.json.encode(choices))
        return msgspec.json.encode(members)

    def _number(self, answer: Any, call: dict[str, Any]) -> int:
        ids = self._ids.setdefault(answer if isinstance(answer, int) else 0, [])
        given, function = call.get("id"), call.get("function")
        if isinstance(given, str) and given:
            if given not in ids:
                ids.append(given)
            return ids.index(given)
        if not ids or (isinstance(function, dict) and function.get("name")):
            ids.append("")
        return len(ids) - 1
