"""Sizes of pictures from the heads of their files, and what providers count them as."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.features.picture import UNSEEN, Picture, picture_of, rule_of

EXIF = b"\xff\xe1" + (60_000).to_bytes(2) + bytes(59_998)
FRAME = b"\x00\x11\x08" + (3024).to_bytes(2) + (4032).to_bytes(2) + bytes(12)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + (640).to_bytes(4) + (480).to_bytes(4)
VP8X = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + (1919).to_bytes(3, "little")
FILES = {
    PNG: (640, 480),
    b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little"): (320, 200),
    b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(10) + b"\xff\xc0" + FRAME: (4032, 3024),
    b"\xff\xd8" + EXIF + EXIF + b"\xff\xff\xc2" + FRAME: (4032, 3024),
    b"\xff\xd8\xff\xc4\x00\x04\x00\x00\xff\xcf" + FRAME: (4032, 3024),
    b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(10) + b"\x80\x02\xe0\x41": (640, 480),
    b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f" + (639 | 479 << 14).to_bytes(4, "little"): (640, 480),
    VP8X + (1079).to_bytes(3, "little"): (1920, 1080),
    PNG[:20] + bytes(4): UNSEEN[:2],
    PNG[:14]: UNSEEN[:2],
    b"\xff\xd8" + EXIF[:2] + b"\xff\xff": UNSEEN[:2],
    b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100 + b"\xff\xc0" + FRAME: UNSEEN[:2],
    b"BM": UNSEEN[:2],
    b"": UNSEEN[:2],
}


@pytest.mark.parametrize(("file", "size"), FILES.items())
def test_the_size_is_read_from_the_head(file: bytes, size: tuple[int, int]) -> None:
    text = base64.b64encode(file).decode()
    assert picture_of({"type": "image", "source": {"type": "base64", "data": text}})[:2] == size


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ({"image_url": {"url": "data:image/png;base64,@", "detail": "low"}}, Picture(640, 480, True)),
        ({"image_url": {"url": "data:image/png;base64,@", "detail": "high"}}, Picture(640, 480)),
        ({"image_url": "data:image/png;base64,@", "detail": "low"}, Picture(640, 480, True)),
        ({"image_url": {"url": "@"}}, UNSEEN),
        ({"image_url": {"url": "https://example.com/@.png"}}, UNSEEN),
        ({"image_url": 7}, UNSEEN),
        ({"source": {"type": "url", "url": "https://example.com/a.png"}}, UNSEEN),
        ({"source": {"type": "base64", "data": None}}, UNSEEN),
        ({"source": {"type": "base64", "data": "data:image/png;base64,@"}}, Picture(640, 480)),
        ({}, UNSEEN),
    ],
)
def test_every_dialects_parts_are_read(part: dict[str, Any], found: Picture) -> None:
    png = base64.b64encode(PNG).decode()
    text = {k: v.replace("@", png) if isinstance(v, str) else v for k, v in part.items()}
    inner = {
        k: {i: w.replace("@", png) if isinstance(w, str) else w for i, w in v.items()} if isinstance(v, dict) else v
        for k, v in text.items()
    }
    assert picture_of(inner) == found


@settings(max_examples=60)
@given(st.text(max_size=60), st.sampled_from(list(FILES)), st.binary(max_size=60))
def test_nothing_that_comes_as_a_picture_fails(text: str, head: bytes, data: bytes) -> None:
    for given_text in (text, base64.b64encode(head[:40] + data).decode()):
        found = picture_of({"source": {"data": given_text}})
        assert min(found[:2]) > 0
        assert all(rule_of(model).tokens(found) > 0.0 for model in ("gpt-4o", "claude", "gemini-2.5-pro", "x"))


SQUARE, WIDE, PHOTO = Picture(1024, 1024), Picture(1920, 1080), Picture(4032, 3024)


@pytest.mark.parametrize(
    ("model", "picture", "tokens"),
    [
        ("claude-3-5-sonnet-20241022", Picture(1000, 1000), 1296),
        ("claude-sonnet-4-20250514", WIDE, 1568),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", WIDE, 1568),
        ("anthropic/claude-sonnet-4.6", PHOTO, 1568),
        ("claude-haiku-4-5", Picture(200, 200), 64),
        ("claude-opus-4-7", WIDE, 69 * 39),
        ("claude-opus-4-10", PHOTO, 4784),
        ("claude-sonnet-5-5", PHOTO, 4784),
        ("gpt-4o-2024-11-20", SQUARE, 765),
        ("gpt-4.1", Picture(2048, 4096), 1105),
        ("gpt-4o", Picture(4096, 4096, is_low=True), 85),
        ("gpt-4o", Picture(8000, 100), 85 + 4 * 170),
        ("gpt-4o-mini", SQUARE, 25_501),
        ("openai/o3", SQUARE, 675),
        ("gpt-5", SQUARE, 630),
        ("gpt-5.1-2025-11-13", SQUARE, 630),
        ("gpt-5-mini", SQUARE, 1024 * 1.62),
        ("gpt-4.1-nano", PHOTO, 1536 * 2.46),
        ("o4-mini", SQUARE, 1024 * 1.72),
        ("gpt-5.2", SQUARE, 1024 * 1.2),
        ("gpt-5.5", PHOTO, 12_000),
        ("gpt-6-astra", WIDE, 60 * 34 * 1.2),
        ("gemini-2.5-flash", WIDE, 6 * 258),
        ("gemini-3-pro-preview", PHOTO, 1120),
        ("qwen2.5-vl-72b", SQUARE, 37 * 37),
        ("qwen2.5-vl-72b", UNSEEN, 4096),
        ("pro3o1x", UNSEEN, 4096),
    ],
)
def test_what_providers_state_is_what_a_picture_counts(model: str, picture: Picture, tokens: float) -> None:
    assert rule_of(model).tokens(picture) == pytest.approx(tokens)
    assert rule_of(model).tokens(Picture(picture.height, picture.width, picture.is_low)) == pytest.approx(tokens)
