"""How records lie in a journal: length, CRC-32, payload; the payload is a msgpack list of records.

Behind the last frame may lie zeros to the file's end: room for more (`Segment`). No frame has the length 0.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from tenbin.store.records import Record

HEADER = struct.Struct("<II")
READ_BYTES = 1 << 20
# A request body is capped far below this: a longer length is no length but damage.
MAX_PAYLOAD_BYTES = 1 << 30


def plain(value: Any) -> float:
    """What msgpack does not know: a number of numpy, which estimates and bills may carry."""
    return float(value)


def encoder() -> msgspec.msgpack.Encoder:
    """An encoder of payloads."""
    return msgspec.msgpack.Encoder(enc_hook=plain)


def decoder() -> msgspec.msgpack.Decoder[list[Record]]:
    """A decoder of payloads."""
    return msgspec.msgpack.Decoder(list[Record])


def frame(payload: bytes) -> bytes:
    """A payload with its header."""
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def blank(length: int) -> bytes:
    """A frame of the same length with nothing in it: what erasing leaves."""
    return frame(bytes(length))


def is_blank(payload: bytes) -> bool:
    """Whether the payload was erased; a list of records never begins with a zero byte."""
    return payload[:1] == b"\0"


class FrameReader:
    """Reads whole frames of an open file from `offset` up to `end` (None: as far as the file goes).

    After iteration `offset` is where the last whole frame ends, and `fault` says why reading stopped before the end:
    "torn" (the file ends inside a frame, or there is nothing but room behind a broken one: the writer died), "damaged"
    (the bytes are not what was written), or None. Where no `end` is named, the beginning of room is one, too.
    """

    def __init__(self, fd: int, offset: int, end: int | None = None) -> None:
        self.fd = fd
        self.offset = offset
        self.end = os.fstat(fd).st_size if end is None else end
        self._has_room = end is None
        self.fault: Literal["torn", "damaged"] | None = None

    def __iter__(self) -> Iterator[bytes]:
        need = READ_BYTES
        while self.offset < self.end:
            want = min(need, self.end - self.offset)
            chunk = os.pread(self.fd, want, self.offset)
            is_last = len(chunk) < want or self.offset + want == self.end
            at, need = 0, READ_BYTES
            while len(chunk) - at >= HEADER.size:
                length, checksum = HEADER.unpack_from(chunk, at)
                stop = at + HEADER.size + length
                if length == 0 and self._is_room(self.offset):
                    self.end = self.offset
                    return
                if length == 0 or length > MAX_PAYLOAD_BYTES:
                    self.fault = "damaged"
                    return
                if stop > len(chunk):
                    need = max(READ_BYTES, HEADER.size + length)
                    break
                payload = chunk[at + HEADER.size : stop]
                if zlib.crc32(payload) != checksum:
                    behind = self.offset + stop - at
                    self.fault = "torn" if behind < self.end and self._is_room(behind) else "damaged"
                    return
                self.offset += stop - at
                at = stop
                yield payload
            if at == 0 and is_last:
                if self._is_room(self.offset):
                    self.end = self.offset
                else:
                    self.fault = "torn"
                return

    def _is_room(self, start: int) -> bool:
        """Whether room begins here: zeros up to the end, and nothing else."""
        if not self._has_room:
            return False
        while start < self.end:
            chunk = os.pread(self.fd, min(READ_BYTES, self.end - start), start)
            if not chunk:
                break
            if chunk.strip(b"\0"):
                return False
            start += len(chunk)
        return True


def frames_end(fd: int) -> int:
    """Where the frames of an open file end, by their lengths."""
    at, size = 0, os.fstat(fd).st_size
    while at + HEADER.size <= size:
        length: int = HEADER.unpack(os.pread(fd, HEADER.size, at))[0]
        if length == 0:
            break
        at += HEADER.size + length
    return at
