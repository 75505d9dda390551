"""Frames: however the bytes arrive, the same frames come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.upstream import sse
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.sse import Frame, Frames

STREAM = (
    b": hello\n\n"
    b'event: message_start\r\ndata: {"a":1}\r\n\r\n'
    b"data: one\ndata:two\n\n"
    b"data\n\n\n"
    b"id: 7\nretry: 10\ndata: \xe6\x97\xa5\n\r\n"
    b"event: x\rdata: bare\r\rdata: [DONE]\n\n"
)


def fed(pieces: list[bytes]) -> list[Frame]:
    frames = Frames()
    found = [frame for piece in pieces for frame in frames.feed(piece)]
    return found + frames.finish()


def test_what_the_frames_say() -> None:
    assert [(frame.event, frame.data) for frame in fed([STREAM])] == [
        (b"", b""),
        (b"message_start", b'{"a":1}'),
        (b"", b"one\ntwo"),
        (b"", b""),
        (b"", b"\xe6\x97\xa5"),
        (b"x", b"bare"),
        (b"", b"[DONE]"),
    ]


def test_a_bare_cr_ends_a_line_inside_a_frame_too() -> None:
    assert [frame.data for frame in fed([b"data: a\rdata: b\n\n"])] == [b"a\nb"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_cut_in_two_gives_the_same_frames(end: bytes) -> None:
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", end)
    whole = fed([stream])
    for cut in range(len(stream) + 1):
        assert fed([stream[:cut], stream[cut:]]) == whole
    assert fed([stream[i : i + 1] for i in range(len(stream))]) == whole


PARTS = [b"data: x", b":c", b"event: e", b"\n", b"\r\n", b"\r", b"\n\n", b"y", b"\xef\xbb\xbf"]


@given(st.lists(st.sampled_from(PARTS)), st.data())
def test_any_split_of_any_stream_keeps_frames_and_bytes(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = fed([stream])
    assert fed(pieces) == whole
    assert b"".join(frame.raw for frame in whole) == stream


def test_a_frame_is_there_as_soon_as_its_blank_line_is() -> None:
    frames = Frames()
    assert frames.feed(b"data: a\n") == []
    assert [frame.data for frame in frames.feed(b"\ndata: b\n\nda")] == [b"a", b"b"]
    assert [frame.data for frame in frames.feed(b"ta: c\r\n\r\n")] == [b"c"]
    assert frames.finish() == []


def test_a_frame_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_FRAME_BYTES", 100)
    frames = Frames()
    frames.feed(b"x" * 100)
    with pytest.raises(UpstreamFailure) as caught:
        frames.feed(b"x")
    assert caught.value.kind == "malformed"
