"""Server-sent events as bytes: frames cut out of a stream that arrives in pieces of any size.

Source: WHATWG HTML, section 9.2 (server-sent events). A line ends with CRLF, LF or CR; a blank line ends a frame.
"""

from __future__ import annotations

import re

import msgspec

from tenbin.upstream.failure import UpstreamFailure

MAX_FRAME_BYTES = 32 << 20
"""What one frame may hold (pictures come whole, as base64): a line that never ends must not fill the memory."""

_LINE_END = rb"(?:\r\n|\n|\r(?=[^\n]))"
_FRAME_END = re.compile(_LINE_END + _LINE_END)
_ANY_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Frame(msgspec.Struct, frozen=True):
    """One frame: its `event` name (b"" where it has none), its `data` (lines joined by LF), and its bytes as they came.

    A frame of comments only has empty data. The `raw` bytes of all frames, in order, are the stream.
    """

    event: bytes
    data: bytes
    raw: bytes


class Frames:
    """Cuts a stream into frames; how the bytes are spread over the pieces never changes what comes out.

    A frame that ends with a bare CR is handed out with the byte after it: only that one tells CR from CRLF.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def is_between(self) -> bool:
        """Whether no part of a frame is held."""
        return not self._held

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that this piece completes. Raises UpstreamFailure (malformed) for a frame without end."""
        if not self._held and b"\r" not in chunk:
            *whole, rest = chunk.split(b"\n\n")
            if not rest:
                return [
                    Frame(b"", text[6:], text + b"\n\n")
                    if text.startswith(b"data: ") and b"\n" not in text
                    else read_frame(text + b"\n\n")
                    for text in whole
                ]
        return self._cut(chunk)

    def finish(self) -> list[Frame]:
        """What is still held when the stream ends, read as a last frame although its blank line is missing."""
        held, self._held = bytes(self._held), bytearray()
        return [read_frame(held)] if held else []

    def _cut(self, chunk: bytes) -> list[Frame]:
        held = self._held
        # An end may begin in the last three bytes that were already searched.
        search_from = max(len(held) - 3, 0)
        held += chunk
        found, start = [], 0
        while (end := _FRAME_END.search(held, search_from)) is not None:
            found.append(read_frame(bytes(held[start : end.end()])))
            start = search_from = end.end()
        if start:
            del held[:start]
        if len(held) > MAX_FRAME_BYTES:
            raise UpstreamFailure("malformed", f"a frame of the stream is longer than {MAX_FRAME_BYTES >> 20} MiB")
        return found


def read_frame(raw: bytes) -> Frame:
    """The event and the data of the bytes of one frame."""
    if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return Frame(b"", raw[6:-2], raw)
    event, data = b"", []
    for line in _ANY_LINE_END.split(raw.removeprefix(_BOM)):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    return Frame(event, b"\n".join(data), raw)
