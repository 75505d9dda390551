"""A streamed answer on its way through: what goes on to a client of the same dialect, and what it says about itself.

Each stream takes pieces of any size and gives whole frames, their bytes as they came; only a frame that loses its
usage member, or whose tool calls lack their numbers, is written anew, its other members byte for byte. A stream that
ends while `is_done` is False was cut, unless `missing_end` says that nothing but its end marker is missing.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from tenbin.types import Usage
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.loose_json import decode
from tenbin.upstream.sse import Frame, Frames

EMPTY = frozenset({b"null", b'""', b"[]", b"{}"})
LONGEST_EMPTY = len(b"null")
QUOTES = 2

_T = TypeVar("_T")


class AnswerStream(Protocol):
    """What every dialect's stream tells.

    `has_content`: a byte of text, reasoning or a tool call came; until then another candidate may take over unseen.
    `said_bytes`: how much of these came, as JSON writes it: all that a stream tells of its tokens before its end.
    `error`: what an error event inside the stream says (its frame was passed on); `failure_inside` reads it.
    """

    said_bytes: int
    has_content: bool
    is_done: bool
    usage: Usage | None
    error: bytes | None
    response_id: str | None
    finish_reason: str | None

    def feed(self, chunk: bytes) -> bytes:
        """What goes to the client now. Raises UpstreamFailure (malformed) for a frame that is no JSON object."""

    def finish(self) -> bytes:
        """The same for what is held when the stream ends; a frame that is only a part is dropped."""

    def missing_end(self, answers: int) -> bytes:
        """The end marker that a finished stream of so many answers came without, which then is done; b"" where it was
        cut. Only to be asked of a body that ended as HTTP says it does, after `finish`.
        """


class FrameStream:
    """The state that all streams have, and the walk over the frames; a dialect is its `_passed`."""

    __slots__ = (
        "_failure",
        "_is_torn",
        "error",
        "finish_reason",
        "frames",
        "has_content",
        "is_done",
        "response_id",
        "said_bytes",
        "usage",
    )

    def __init__(self) -> None:
        self.frames = Frames()
        self.said_bytes = 0
        self.has_content = False
        self.is_done = False
        self.usage: Usage | None = None
        self.error: bytes | None = None
        self.response_id: str | None = None
        self.finish_reason: str | None = None
        self._failure: UpstreamFailure | None = None
        self._is_torn = False

    def feed(self, chunk: bytes) -> bytes:
        """What goes to the client now, as `AnswerStream` says."""
        if self._failure is not None:
            raise self._failure
        passed: list[bytes] = []
        try:
            for frame in self.frames.feed(chunk):
                passed.append(self._passed(frame))
        except UpstreamFailure as failure:
            if not passed:
                raise
            self._failure = failure  # what came whole before it still goes out; the next call raises
        return b"".join(passed)

    def finish(self) -> bytes:
        """The same for what is held when the stream ends."""
        if self._failure is not None:
            raise self._failure
        held = self.frames.finish()
        self._is_torn = any(not frame.data and frame.raw.strip() for frame in held)
        try:
            # The blank line that was missing is added: what follows must not run into this frame.
            return b"".join([self._passed(frame) + b"\n\n" for frame in held if frame.data])
        except UpstreamFailure:
            self._is_torn = True
            return b""

    def missing_end(self, answers: int) -> bytes:  # noqa: ARG002
        """None: most dialects have their end inside the answer."""
        return b""

    def _passed(self, frame: Frame) -> bytes:
        raise NotImplementedError


def said_bytes_of(raw: msgspec.Raw) -> int:
    """The length of a text as JSON writes it between its quotes, 0 for what is empty."""
    length = len(raw)
    return length - QUOTES if length > LONGEST_EMPTY or bytes(raw) not in EMPTY else 0


def decoded_as(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    """What the data of a frame says; UpstreamFailure (malformed) where it is not what it should be."""
    try:
        return decode(decoder, data)
    except msgspec.DecodeError:
        raise UpstreamFailure(
            "malformed", "the upstream's stream holds a frame that is not the JSON it should be"
        ) from None
