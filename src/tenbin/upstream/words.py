"""What a model says, read out of its answer: the text that a reader sees, without reasoning and tool calls."""

from __future__ import annotations

from typing import Any

import msgspec

from tenbin.upstream.destination import Dialect
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.loose_json import decode
from tenbin.upstream.sse import Frames

MAX_ANSWER_BYTES = 16 << 20
"""A longer answer is no answer: what is said must fit into the memory many times over."""

Content = str | list[Any] | None
"""A text, or parts of which those of type "text" count (Anthropic, Mistral)."""


class _Spoken(msgspec.Struct):
    """The `message` of a whole answer, the `delta` of a piece."""

    content: Content = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    index: int | None = 0
    message: _Spoken | None = None
    delta: _Spoken | None = None


class _Delta(msgspec.Struct):
    type: str | None = None
    text: str | None = None


class _Answer(msgspec.Struct):
    """The members that hold words, of every dialect, whole or in pieces: their names do not collide."""

    choices: list[_Choice] | None = None
    content: Content = None
    type: str | None = None
    delta: _Delta | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class Words:
    """Collects the words of a stream, fed as it comes.

    `is_refusal`: the model itself declined, in the words of a refusal. Only the first of several choices is read.
    """

    __slots__ = ("_frames", "_pieces", "_size", "is_refusal")

    def __init__(self) -> None:
        self._frames = Frames()
        self._pieces: list[str] = []
        self._size = 0
        self.is_refusal = False

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._pieces)

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises UpstreamFailure (malformed) for a frame of another shape, or endless words."""
        for frame in self._frames.feed(chunk):
            if frame.data and not frame.data.startswith(b"[DONE]"):
                self._take(_decoded(frame.data))

    def _take(self, answer: _Answer) -> None:
        if answer.type == "content_block_delta" and answer.delta is not None:
            self._say(answer.delta.text)
        for choice in answer.choices or ():
            if not choice.index and choice.delta is not None:
                self._say(_text(choice.delta.content))
                if choice.delta.refusal:
                    self.is_refusal = True
                    self._say(choice.delta.refusal)

    def _say(self, piece: str | None) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_ANSWER_BYTES:
            raise UpstreamFailure("malformed", f"the answer is longer than {MAX_ANSWER_BYTES >> 20} MiB")


def words_of(dialect: Dialect, body: bytes) -> str:
    """The words of a whole answer, a refusal's too. Raises UpstreamFailure: malformed where it has no such shape."""
    answer = _decoded(body)
    if dialect == "anthropic":
        return _text(answer.content)
    spoken = answer.choices[0].message if answer.choices else None
    if spoken is None:
        raise UpstreamFailure("malformed", "the upstream's answer holds no message", body=body)
    return _text(spoken.content) or spoken.refusal or ""


def _text(content: Content) -> str:
    if not isinstance(content, list):
        return content or ""
    parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part for part in parts if isinstance(part, str))


def _decoded(data: bytes) -> _Answer:
    try:
        return decode(_ANSWER, data)
    except msgspec.DecodeError:
        raise UpstreamFailure("malformed", "the upstream's answer is not the JSON it should be", body=data) from None
