"""What both directions of a translated stream share: frames in, an end that must be seen, an error where it is not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Literal

from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.sse import Frame, Frames
from tenbin.upstream.translate.error_bodies import error_body, error_from, status_of_error


class TranslatedStream(ABC):
    """Says one stream in the client's dialect `target`; the client's end waits for the upstream's end marker.

    A stream that is cut therefore never ends normally. `failure` is why it ended early where the upstream's own words
    are no error: they cannot be read.
    """

    target: ClassVar[Literal["openai", "anthropic"]]
    error_head: ClassVar[bytes]
    """What stands before the body of an error in the client's stream."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._is_over = False
        self.failure: UpstreamFailure | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What the client gets for these bytes of the upstream's stream."""
        try:
            frames = self._frames.feed(chunk)
        except UpstreamFailure as failure:
            return b"" if self._is_over else self._break(failure.what)
        return self._translate(frames)

    def _translate(self, frames: Iterable[Frame]) -> bytes:
        """What the client gets for whole frames; nothing after the end."""
        out = b""
        for frame in frames:
            if frame.data and not self._is_over:
                out += self._frame(frame.data)
        return out

    def close(self) -> bytes:
        """What the client gets when the upstream's stream is over: an error unless its end marker came."""
        # Of a frame without its blank line only the end marker is known to be whole.
        out = self._translate(frame for frame in self._frames.finish() if self._is_end(frame.data))
        if self._is_over:
            return out
        return self._fail(error_body(self.target, 502, "upstream_cut", "the upstream's stream ended half-way"))

    @staticmethod
    @abstractmethod
    def _is_end(data: bytes) -> bool:
        """Whether this is the upstream's end marker."""

    @abstractmethod
    def _frame(self, data: bytes) -> bytes:
        """What the client gets for the data of one frame."""

    def _fail(self, body: bytes) -> bytes:
        self._is_over = True
        return self.error_head + body + b"\n\n"

    def _pass_on(self, error: object) -> bytes:
        """End with the upstream's own error."""
        return self._fail(error_from(self.target, status_of_error(error), error))

    def _break(self, what: str) -> bytes:
        self.failure = UpstreamFailure("malformed", what)
        return self._fail(error_body(self.target, 502, "upstream_malformed", what))
