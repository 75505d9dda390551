"""Bodies that come compressed although identity was asked for, unpacked piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 256 << 10
"""The most that is unpacked at a time: a few packed bytes may stand for any number."""
GZIP = frozenset({"gzip", "x-gzip"})
GZIP_BITS = 16 + zlib.MAX_WBITS


class Unpacking:
    """One body's gzip or deflate."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The unpacked pieces. Raises ValueError for data that is not packed as its header says."""
        piece = b""
        while data or len(piece) == PIECE_BYTES:  # a full piece may not have been all
            stream = self._started(data)
            try:
                piece = stream.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise ValueError(f"the body is not packed with {self._coding}") from None
            if piece:
                yield piece
            data = stream.unconsumed_tail
            if stream.eof:  # gzip may have several members
                data = stream.unused_data if self._coding in GZIP else b""
                piece = b""
                self._stream = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing at the end."""
        return self._stream is None

    def _started(self, data: bytes) -> zlib._Decompress:
        if self._stream is None:
            if self._coding in GZIP:
                bits = GZIP_BITS
            elif self._coding != "deflate":
                raise ValueError("the body is packed in a way that was not asked for")
            else:  # some send deflate without its wrapper
                bits = zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS
            self._stream = zlib.decompressobj(bits)
        return self._stream
