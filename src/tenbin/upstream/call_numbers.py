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
        self._number_of: dict[tuple[int, str], int] = {}
        self._count: dict[int, int] = {}

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

    def _number(self, index: Any, call: dict[str, Any]) -> int:
        answer = index if isinstance(index, int) else 0
        given, function, count = call.get("id"), call.get("function"), self._count.get(answer, 0)
        if isinstance(given, str) and given:
            number = self._number_of.setdefault((answer, given), count)
        else:
            is_new = not count or (isinstance(function, dict) and function.get("name"))
            number = count if is_new else count - 1
        self._count[answer] = max(count, number + 1)
        return number
