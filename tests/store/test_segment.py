"""A segment: what was said to be written is there, room behind it is laid out, and goes when it ends."""

import os

import pytest

from tenbin.store.frames import FrameReader, frame
from tenbin.store.pen import write_whole
from tenbin.store.segment import ROOM_BYTES, Segment
from tests.store.made import at_most


def append(segment, data):
    piece = segment.laid_out(data)
    segment.take(write_whole(segment.fd, piece, segment.size))


def frames_of(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = FrameReader(fd, 0)
        return list(reader), reader.fault
    finally:
        os.close(fd)


def test_frames_are_written_into_room_until_it_is_used_up(tmp_path):
    segment, payloads = Segment(tmp_path / "journal"), [bytes([i]) * 20_000 for i in range(1, 40)]
    left = []
    for payload in payloads:
        append(segment, frame(payload))
        left.append(segment.path.stat().st_size - segment.size)
    assert frames_of(segment.path) == (payloads, None)
    a_frame = len(frame(payloads[0]))
    until_used_up = 1 + ROOM_BYTES // a_frame
    assert left == [ROOM_BYTES - i % until_used_up * a_frame for i in range(len(payloads))]
    segment.seal()
    assert segment.path.stat().st_size == segment.size == sum(len(frame(payload)) for payload in payloads)
    with pytest.raises(OSError, match="Bad file descriptor"):  # a long spool keeps few files open
        os.fstat(segment.fd)


def test_a_write_that_fails_leaves_the_end_where_it_was(tmp_path):
    segment = Segment(tmp_path / "journal")
    append(segment, frame(b"first"))
    with at_most(ROOM_BYTES + 50_000), pytest.raises(OSError, match="File too large"):
        append(segment, frame(b"x" * (ROOM_BYTES + 60_000)))
    assert segment.size == segment.path.stat().st_size == len(frame(b"first"))
    append(segment, frame(b"second"))
    assert frames_of(segment.path) == ([b"first", b"second"], None)
    assert segment.path.stat().st_size == segment.size  # where there was no room once, none is laid out any more
    segment.seal()


def test_no_frame_fails_for_want_of_room_behind_it(tmp_path):
    segment = Segment(tmp_path / "journal")
    with at_most(ROOM_BYTES // 2):
        append(segment, frame(b"first"))
        append(segment, frame(b"second"))
    assert frames_of(segment.path) == ([b"first", b"second"], None)
    segment.seal()
