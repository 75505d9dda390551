"""Pictures in a conversation: who answers must see, and their base64 is no text whose bytes tell tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

TYPES = ("image_url", "image", "input_image")
TOKENS = 2_000.0
"""Of one picture, whatever its bytes: about the most that providers count for one."""
PARTS_SEEN = 10_000


class Pictures(NamedTuple):
    """How many there are, and how many bytes of the request they take."""

    number: int
    size: int

    @property
    def tokens(self) -> float:
        """About the most that they count as."""
        return self.number * TOKENS


NONE = Pictures(0, 0)


def pictures_in(messages: Sequence[Mapping[str, Any]]) -> Pictures:
    """The pictures among the parts of messages and of tools' results; of very many parts the first are looked at."""
    contents = [content for message in messages if isinstance(content := message.get("content"), list)]
    if not contents:
        return NONE
    parts = islice((part for content in contents for part in _parts(content)), PARTS_SEEN)
    sizes = [_size(part) for part in parts if part.get("type") in TYPES]
    return Pictures(len(sizes), sum(sizes))


def _parts(content: list[Any]) -> Iterator[Mapping[str, Any]]:
    """The parts, those inside a tool's result behind it."""
    for part in content:
        if isinstance(part, dict):
            yield part
            if part.get("type") == "tool_result" and isinstance(part.get("content"), list):
                yield from (inner for inner in part["content"] if isinstance(inner, dict))


def _size(part: Mapping[str, Any]) -> int:
    """The length of the texts in a part: an address, or the picture in base64."""
    inner = [value for member in part.values() if isinstance(member, dict) for value in member.values()]
    return sum(len(value) for value in (*part.values(), *inner) if isinstance(value, str))
