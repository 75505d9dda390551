"""What a picture counts as: its size, read from the first bytes of its file, and each provider's rule."""

from __future__ import annotations

import binascii
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_SEGMENTS = 64
"""Of a JPEG, before its size: more than cameras write."""
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""The segments of a JPEG that tell its size (ITU T.81, table B.1)."""


class Picture(NamedTuple):
    """A picture in pixels; `is_low` where the client asked for no more than a glance (`detail: low`)."""

    width: int
    height: int
    is_low: bool = False


UNSEEN = Picture(2_048, 2_048)
"""One that is only named, or of a kind that is not known: larger than most, for nothing is fetched."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A picture is scaled down to these edges, covered by squares, and each square counts.

    `patch_px` is a square's edge, `longest_px` and `shortest_px` what the longer and the shorter edge may have, `most`
    the squares there can be; tokens are `base_tokens` and `patch_tokens` for each square. `low_tokens` counts a
    picture in low detail (None: no such thing).
    """

    patch_px: int
    most: float
    patch_tokens: float = 1.0
    base_tokens: float = 0.0
    longest_px: float = math.inf
    shortest_px: float = math.inf
    low_tokens: float | None = None

    def tokens(self, picture: Picture) -> float:
        """What the picture counts as."""
        if picture.is_low and self.low_tokens is not None:
            return self.low_tokens
        long, short = max(picture.width, picture.height), min(picture.width, picture.height)
        scale = min(1.0, self.longest_px / long, self.shortest_px / short)
        across, down = (math.ceil(edge * scale / self.patch_px - 1e-9) for edge in (long, short))
        return self.base_tokens + self.patch_tokens * min(across * down, self.most)


RULES: Mapping[str, Rule] = {
    r"claude-(?:instant|[123]\b|\w+-4(?:[-.][0-6])?(?:-\d{8})?(?!\d|[-.]\d))": Rule(28, 1_568, longest_px=1_568),
    r"claude": Rule(28, 4_784, longest_px=2_576),
    r"gemini-[12]\b": Rule(768, math.inf, 258),
    r"gemini": Rule(768, 0, base_tokens=1_120),
    r"gpt-4o-mini": Rule(512, 8, 5_667, 2_833, 2_048, 768, low_tokens=2_833),
    r"gpt-4\.1-mini|gpt-5(?:\.\d+)?-mini": Rule(32, 1_536, 1.62),
    r"gpt-4\.1-nano|gpt-5(?:\.\d+)?-nano": Rule(32, 1_536, 2.46),
    r"\bo4-mini|codex-mini": Rule(32, 1_536, 1.72),
    r"gpt-4|chatgpt-4o": Rule(512, 8, 170, 85, 2_048, 768, low_tokens=85),
    r"(?:^|/)o[13]\b": Rule(512, 8, 150, 75, 2_048, 768, low_tokens=75),
    r"gpt-5(?:\.1)?(?![.\d])": Rule(512, 8, 140, 70, 2_048, 768, low_tokens=70),
    r"gpt-": Rule(32, 10_000, 1.2),
}
"""By the name of a model, the first that fits.

Anthropic, "Vision" (platform.claude.com/docs/en/build-with-claude/vision): patches of 28 pixels, 1,568 of them up to
Claude 4.6, 4,784 since. OpenAI, "Images and vision", calculating costs (developers.openai.com): tiles, or patches of 32
pixels times a factor; from GPT-5.2 on the factor 1.2 and up to 10,000 patches, as users measured. Google, "Understand
and count tokens" (ai.google.dev/gemini-api/docs/tokens): tiles of 768 pixels; 1,120 for any picture in Gemini 3. Read
on 2026-11-29.
"""
OTHERS = Rule(28, 4_096)
"""Who is not named: patches of 28 pixels as of Qwen and Mistral, of which neither takes more by itself."""


@functools.lru_cache(1_024)
def rule_of(model: str) -> Rule:
    """The rule of a model, by its name at the provider."""
    return next((rule for pattern, rule in RULES.items() if re.search(pattern, model, re.IGNORECASE)), OTHERS)


def picture_of(part: Mapping[str, Any]) -> Picture:
    """The picture of a part in any dialect; `UNSEEN` where its size does not come with it."""
    source = part.get("source", part.get("image_url"))
    held = source if isinstance(source, Mapping) else {"url": source}
    detail = part.get("detail", held.get("detail"))
    data = held.get("data", held.get("url"))
    size = _size(data[data.find(",", 0, 256) + 1 :]) if isinstance(data, str) and _is_here(data, held) else None
    return Picture(*(size or UNSEEN[:2]), is_low=detail == "low")


def _is_here(data: str, held: Mapping[str, Any]) -> bool:
    return "data" in held or data.startswith("data:")


def _size(text: str) -> tuple[int, int] | None:
    """Width and height of a picture in base64; None where its head does not tell them."""
    try:
        size = _read_size(text)
    except (ValueError, IndexError):  # no base64, or torn
        return None
    return size if size and min(size) > 0 else None


def _read_size(text: str) -> tuple[int, int] | None:
    head = _bytes(text, 0, 30)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if head.startswith((b"GIF87a", b"GIF89a")):
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp_size(head)
    return _jpeg_size(text) if head.startswith(b"\xff\xd8") else None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """WebP's three kinds (RFC 9649): lossy, lossless, extended."""
    kind = head[12:16]
    if kind == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


def _jpeg_size(text: str) -> tuple[int, int] | None:
    """The size in the first frame header; segments before it are stepped over, not read."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        segment = _bytes(text, at, 9)
        if len(segment) < 9 or segment[0] != 0xFF:
            return None
        if segment[1] in _SIZES:
            return int.from_bytes(segment[7:9]), int.from_bytes(segment[5:7])
        at += 1 if segment[1] == 0xFF else 2 + int.from_bytes(segment[2:4])
    return None


def _bytes(text: str, start: int, number: int) -> bytes:
    """Some bytes of a file in base64, without decoding the rest."""
    first = start // 3
    last = -(-(start + number) // 3)
    decoded = binascii.a2b_base64(text[4 * first : 4 * last])
    return decoded[start - 3 * first : start - 3 * first + number]
