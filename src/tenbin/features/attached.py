"""What is attached to a conversation, pictures, documents and sounds: no text whose bytes tell tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from tenbin.features.audio import seconds_of, tokens_per_second
from tenbin.features.document import pages_of, tokens_per_page
from tenbin.features.picture import UNSEEN, Picture, picture_of, rule_of
from tenbin.features.routing_text import said_in

PICTURES = ("image_url", "image", "input_image")
DOCUMENTS = ("document", "file", "input_file")
SOUND = "input_audio"
ATTACHED = (*PICTURES, *DOCUMENTS, SOUND)
_HELD_IN: Mapping[str, str] = MappingProxyType({"document": "source", SOUND: SOUND})
"""Where a part has its data; a file may be the part itself."""
MOST_DEPTH = 4
PICTURES_READ = 500
"""Of so many the size is read, the others are `UNSEEN`: no provider takes more than 600, but Google."""
PARTS_SEEN = 10_000
MOST_HEAD = 256
"""Of a data address, before its base64."""
DOCUMENTS_DECODED = 4
"""Of very many documents the first are looked into: a long one takes two to four milliseconds."""


class Attached(NamedTuple):
    """The pictures, how often each size, the pages of documents, how many bytes of the request all take, and the
    seconds of sounds.
    """

    pictures: Mapping[Picture, int] = MappingProxyType({})
    pages: int = 0
    size: int = 0
    sound_s: float = 0.0

    def tokens(self, model: str) -> float:
        """About the most that they count as for a model, by its name at the provider."""
        of = rule_of(model).tokens
        seen = sum(of(picture) * n for picture, n in self.pictures.items())
        return seen + self.pages * tokens_per_page(model) + self.sound_s * tokens_per_second(model)


NOTHING = Attached()


def attached_to(messages: Sequence[Mapping[str, Any]]) -> Attached:
    """What is attached to messages and to tools' results; of very many parts the first are looked at.

    Documents that are texts are none: they are read as what is said.
    """
    contents = [content for message in messages if isinstance(content := message.get("content"), list)]
    if not contents:
        return NOTHING
    parts = islice((part for content in contents for part in _parts(content)), PARTS_SEEN)
    found = [part for part in parts if part.get("type") in ATTACHED and said_in(part) is None]
    if not found:
        return NOTHING
    documents = [part for part in found if part["type"] in DOCUMENTS]
    pages = [pages_of(_base64(part), may_decode=i < DOCUMENTS_DECODED) for i, part in enumerate(documents)]
    pictures = [part for part in found if part["type"] in PICTURES]
    sizes = Counter(map(picture_of, pictures[:PICTURES_READ]))
    sizes[UNSEEN] += len(pictures[PICTURES_READ:])
    sounds = [seconds_of(_base64(part) or "") for part in found if part["type"] == SOUND]
    return Attached(+sizes, sum(pages), sum(map(_size, found)), sum(sounds))


def _parts(content: list[Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The parts, behind each those inside it: of a tool's result, or of a document that consists of parts."""
    for part in content:
        if isinstance(part, dict):
            yield part
            kind = part.get("type")
            inside = part.get("content") if kind == "tool_result" else said_in(part) if kind == "document" else None
            if isinstance(inside, list) and depth < MOST_DEPTH:
                yield from _parts(inside, depth + 1)


def _base64(part: Mapping[str, Any]) -> str | None:
    """The document or the sound of a part as base64; None where it is only named."""
    source = part.get(_HELD_IN.get(part["type"], "file"), part)
    if not isinstance(source, Mapping):
        return None
    data = source.get("data", source.get("file_data"))
    return data[data.find(",", 0, MOST_HEAD) + 1 :] if isinstance(data, str) else None


def _size(part: Mapping[str, Any]) -> int:
    """The length of the texts in a part: an address, or the bytes in base64."""
    inner = [value for member in part.values() if isinstance(member, dict) for value in member.values()]
    return sum(len(value) for value in (*part.values(), *inner) if isinstance(value, str))
