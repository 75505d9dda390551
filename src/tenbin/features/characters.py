"""Kinds of characters: one small class per code point, for every script, as numpy arrays."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Kinds = NDArray[np.uint8]
Owners = NDArray[np.int64]

_TABLE_SIZE = 0x10000
_LATIN_END = 0x250
IDEOGRAPHS_BEYOND = (0x20000, 0x32400)
_UNSPACED = ((0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800))
_IDEOGRAPHS = ((0x2E80, 0x2FE0), (0x3005, 0x3008), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00))
_HIRAGANA = ((0x3041, 0x30A0),)
_KATAKANA = ((0x30A1, 0x30FB), (0x30FC, 0x3100), (0x31F0, 0x3200), (0xFF66, 0xFFA0))
_HANGUL = ((0x1100, 0x1200), (0x3130, 0x3190), (0xAC00, 0xD7B0))
_WIDE_PUNCTUATION = ((0x3000, 0x3005), (0x3008, 0x3021), (0x30A0, 0x30A1), (0x30FB, 0x30FC), (0xFF00, 0xFF66))


class Kind(IntEnum):
    """What a character is for counting tokens and for finding words."""

    SPACE = 0
    NEWLINE = 1
    LOWER = 2
    UPPER = 3
    DIGIT = 4
    MARK = 5
    LETTER = 6  # letters of other scripts that put spaces between words
    HANGUL = 7
    UNSPACED = 8  # Thai, Lao, Burmese, Khmer
    IDEOGRAPH = 9
    HIRAGANA = 10
    KATAKANA = 11
    PUNCTUATION = 12  # ASCII
    WIDE_PUNCTUATION = 13
    SYMBOL = 14
    EDGE = 15  # the spaces that `join` puts around texts, part of none


def _kind_of_category(category: str) -> Kind:
    if category == "Nd":
        return Kind.DIGIT
    return {"Z": Kind.SPACE, "M": Kind.MARK, "L": Kind.LETTER}.get(category[0], Kind.SYMBOL)


@functools.cache
def kind_table() -> Kinds:
    """The kind of every character up to U+FFFF, [65536]."""
    # Looked up by category, not made one by one: every process waits for this before its first decision.
    categories = [*map(unicodedata.category, map(chr, range(_TABLE_SIZE)))]
    kind_of = {category: int(_kind_of_category(category)) for category in set(categories)}
    table = np.fromiter(map(kind_of.__getitem__, categories), np.uint8, _TABLE_SIZE)
    for code in range(_LATIN_END):
        if chr(code).isspace():
            table[code] = Kind.NEWLINE if code == ord("\n") else Kind.SPACE
        elif code < 0x80 and categories[code][0] in "PS":
            table[code] = Kind.PUNCTUATION
        elif categories[code][0] == "L":
            table[code] = Kind.UPPER if categories[code] in {"Lu", "Lt"} else Kind.LOWER
    ranges = (
        (_UNSPACED, Kind.UNSPACED),
        (_IDEOGRAPHS, Kind.IDEOGRAPH),
        (_HANGUL, Kind.HANGUL),
        (_WIDE_PUNCTUATION, Kind.WIDE_PUNCTUATION),
        (_HIRAGANA, Kind.HIRAGANA),
        (_KATAKANA, Kind.KATAKANA),
    )
    for spans, kind in ranges:
        for start, stop in spans:
            part = table[start:stop]
            part[(part != Kind.SPACE) & (part != Kind.DIGIT)] = kind
    table.flags.writeable = False
    return table


def kinds_of(codes: Codes) -> Kinds:
    """The `Kind` of every code point, uint8 [len(codes)].

    Code points above U+FFFF are ideographs (U+20000 to U+323FF) or symbols; the rest follows Unicode categories.
    """
    kinds = kind_table().take(codes, mode="clip")
    if len(codes) and codes.max() >= _TABLE_SIZE:
        beyond = codes >= _TABLE_SIZE
        first, stop = IDEOGRAPHS_BEYOND
        kinds[beyond] = np.where((codes[beyond] >= first) & (codes[beyond] < stop), Kind.IDEOGRAPH, Kind.SYMBOL)
    return kinds


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """n texts as one, each between two spaces of its own, so that an array operation sees them all.

    `codes` and `kinds` [c] are those of `text`, the kind of the spaces being `EDGE`; `bounds` [n + 1] is where each
    text's first space stands, and the end of the last.
    """

    text: str
    codes: Codes
    kinds: Kinds
    bounds: Owners

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def owners(self, places: NDArray[np.int64]) -> Owners:
        """The index of the text at each place, int64 of the shape of `places` (the spaces before it are its own)."""
        return self.bounds[1:].searchsorted(places, side="right")


def blocks(texts: Sequence[str], most_texts: int = 256, most_characters: int = 1 << 18) -> list[tuple[int, int]]:
    """Consecutive ranges of texts of bounded number and length (a single text may be longer)."""
    if len(texts) == 1:
        return [(0, 1)]
    ranges: list[tuple[int, int]] = []
    start, characters = 0, 0
    for i, text in enumerate(texts):
        if i > start and (i - start >= most_texts or characters + len(text) > most_characters):
            ranges.append((start, i))
            start, characters = i, 0
        characters += len(text)
    if start < len(texts):
        ranges.append((start, len(texts)))
    return ranges


def join(texts: Sequence[str]) -> Joined:
    """The texts as one, read once for all who count in them."""
    text = f" {'  '.join(texts)} "
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = (len(text) + 2 for text in texts)
    bounds = np.fromiter(itertools.accumulate(lengths, initial=0), np.int64, len(texts) + 1)
    kinds = kinds_of(codes)
    kinds[bounds[:-1]] = kinds[bounds[1:] - 1] = Kind.EDGE
    return Joined(text, codes, kinds, bounds)


__all__ = [
    "IDEOGRAPHS_BEYOND",
    "Codes",
    "Joined",
    "Kind",
    "Kinds",
    "Owners",
    "blocks",
    "join",
    "kind_table",
    "kinds_of",
]
