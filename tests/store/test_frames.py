"""Frames: what is read is what was written, up to where the writer died."""

import os

from hypothesis import given
from hypothesis import strategies as st

from tenbin.store.frames import (
    HEADER,
    MAX_PAYLOAD_BYTES,
    FrameReader,
    blank,
    decoder,
    encoder,
    frame,
    frames_end,
    is_blank,
)
from tests.store.made import intent, settled


def read(folder, data, end=None):
    path = folder / "journal"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = FrameReader(fd, 0, end)
        return list(reader), reader
    finally:
        os.close(fd)


@given(payloads=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), data=st.data())
def test_a_tail_that_is_torn_anywhere_costs_only_itself(tmp_path_factory, payloads, data):
    whole = b"".join(frame(payload) for payload in payloads)
    cut = data.draw(st.integers(0, len(whole)))
    found, reader = read(tmp_path_factory.mktemp("torn"), whole[:cut])
    assert found == payloads[: len(found)]
    assert reader.offset == sum(HEADER.size + len(payload) for payload in found)
    assert (reader.fault == "torn") == (reader.offset < cut)
    assert len(found) == len(payloads) or reader.offset + HEADER.size + len(payloads[len(found)]) > cut


def test_changed_bytes_are_called_damage(tmp_path):
    data = bytearray(frame(b"first") + frame(b"second") + frame(b"third"))
    data[len(frame(b"first")) + HEADER.size] ^= 1
    found, reader = read(tmp_path, bytes(data))
    assert found == [b"first"]
    assert reader.fault == "damaged"


def test_damage_before_other_frames_is_no_torn_end_whatever_room_is_behind_them(tmp_path):
    first, third = frame(b"x" * 100), frame(b"third")
    broken = bytearray(frame(b"second"))
    broken[-1] ^= 1
    found, reader = read(tmp_path, first + broken + third + bytes(4096))
    assert (found, reader.fault) == ([b"x" * 100], "damaged")
    found, reader = read(tmp_path, first + broken + bytes(4096))
    assert (found, reader.fault) == ([b"x" * 100], "torn")


def test_a_length_that_nobody_writes_is_damage_and_no_torn_end(tmp_path):
    found, reader = read(tmp_path, frame(b"first") + HEADER.pack(MAX_PAYLOAD_BYTES + 1, 7) + b"what follows")
    assert (found, reader.fault) == ([b"first"], "damaged")


def test_nothing_is_read_beyond_the_end_that_was_named(tmp_path):
    frames = frame(b"first") + frame(b"second")
    found, reader = read(tmp_path, frames + frame(b"third"), end=len(frames))
    assert (found, reader.fault, reader.offset) == ([b"first", b"second"], None, len(frames))
    found, reader = read(tmp_path, frames, end=len(frame(b"first")) + 3)
    assert (found, reader.fault, reader.offset) == ([b"first"], "torn", len(frame(b"first")))


def test_zeros_before_the_end_that_was_named_are_no_room(tmp_path):
    found, reader = read(tmp_path, frame(b"first") + bytes(50), end=len(frame(b"first")) + 30)
    assert (found, reader.fault, reader.offset) == ([b"first"], "damaged", len(frame(b"first")))


def test_a_file_that_became_far_shorter_than_the_end_that_was_named_is_read_as_far_as_it_goes(tmp_path):
    found, reader = read(tmp_path, frame(b"first"), end=3 << 20)
    assert (found, reader.fault, reader.offset) == ([b"first"], "torn", len(frame(b"first")))


@given(room=st.sampled_from([1, 7, 8, 9, 4096, (1 << 20) + 5]))
def test_room_behind_the_frames_is_their_end(tmp_path_factory, room):
    found, reader = read(tmp_path_factory.mktemp("room"), frame(b"first") + bytes(room))
    assert (found, reader.fault) == ([b"first"], None)
    assert reader.offset == reader.end == len(frame(b"first"))


def test_room_that_is_cut_off_while_it_is_read_is_room_still(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(frame(b"first") + bytes(3 << 20))
    with path.open("rb") as file:
        reader = FrameReader(file.fileno(), 0)
        os.truncate(path, len(frame(b"first")) + 20)
        assert (list(reader), reader.fault, reader.offset) == ([b"first"], None, len(frame(b"first")))


def test_zeros_with_anything_behind_them_are_damage(tmp_path):
    found, reader = read(tmp_path, frame(b"first") + bytes(2 << 20) + b"\1")
    assert (found, reader.fault) == ([b"first"], "damaged")


@given(cut=st.integers(1, 11))
def test_what_a_power_cut_leaves_of_a_frame_in_the_room_is_torn(tmp_path_factory, cut):
    whole = frame(b"second") + bytes(500)
    torn = whole[:cut] + bytes(len(whole) - cut)
    found, reader = read(tmp_path_factory.mktemp("torn"), frame(b"first") + torn)
    assert (found, reader.fault) == ([b"first"], "torn")
    assert reader.offset == len(frame(b"first"))


def test_a_last_frame_that_was_written_whole_and_changed_is_damage(tmp_path):
    data = bytearray(frame(b"first") + frame(b"second"))
    data[-1] ^= 1
    found, reader = read(tmp_path, bytes(data))
    assert (found, reader.fault) == ([b"first"], "damaged")


def test_frames_end_where_room_begins(tmp_path):
    path, frames = tmp_path / "journal", frame(b"first") + frame(b"second")
    for room in (b"", bytes(3), bytes(100)):
        path.write_bytes(frames + room)
        fd = os.open(path, os.O_RDONLY)
        assert frames_end(fd) == len(frames)
        os.close(fd)


def test_frames_larger_than_a_read_come_whole(tmp_path):
    payloads = [b"a" * 10, b"b" * (3 << 20), b"c" * ((1 << 20) - 30), b"d" * 100]
    for some in (payloads, payloads[1:]):
        found, reader = read(tmp_path, b"".join(map(frame, some)))
        assert found == some
        assert reader.fault is None


def test_an_erased_frame_is_read_over(tmp_path):
    found, reader = read(tmp_path, blank(7) + frame(b"next"))
    assert [is_blank(payload) for payload in found] == [True, False]
    assert reader.fault is None


def test_records_come_back_as_they_were_and_numbers_of_numpy_as_floats():
    import numpy as np

    rows = [intent("r", prompt=b"\x00\xff"), settled("r", cost_usd=np.float64(0.5), latency_s=np.float32(2))]
    back = decoder().decode(encoder().encode(rows))
    assert back == [rows[0], settled("r", at=rows[1].at, cost_usd=0.5, latency_s=2.0)]
