"""Words, word pairs and character n-grams of a text as hashed slots: any script, no vocabulary file.

A word is a run of letters of one spaced script or a run of digits; in scripts without spaces (Japanese, Chinese,
Thai, ...) every character is a word, so that word pairs are character pairs there; every other visible sign is a word
of its own. All digits count as the same digit: the shape of a number matters, not its value. Hashes are polynomial
in 64-bit arithmetic that wraps around, so that all n-grams of a text come from a few array operations.

Many texts at once, as one with two spaces between them: a call costs more than the work on a text's thousand
characters. What lies across two texts goes to a slot of its own.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.features.characters import Codes, Kind, kinds_of
from tenbin.features.normal_text import normal_text
from tenbin.types import Bools, Ints

WORD_SLOTS = 1 << 19
CHARACTER_SLOTS = 1 << 19
SLOTS = WORD_SLOTS + CHARACTER_SLOTS
"""Slots [0, WORD_SLOTS) are words and word pairs, the rest character n-grams."""
NOWHERE = SLOTS
"""The slot of what lies across two texts: nobody's, and never language."""
CHARACTER_ORDERS = (3, 4, 5)
_PAIRS = 1

_Hashes = NDArray[np.uint64]
_Classes = NDArray[np.uint8]
_BASE = 0x9E3779B97F4A7C15
_MIX_ADD = 0x1234567
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_LAST = 0xD6E8FEB86659FD93
_SHIFT = 64 - 19
_FOLD = 31
_ZERO = ord("0")
_USUAL_LENGTH = 1 << 15
"""Powers up to that many characters are kept: sixteen routing texts are seldom longer."""

_BLANK, _LETTER, _DIGIT, _LONE_LETTER, _LONE_SIGN = range(5)
"""Classes of characters: letters are the odd ones, and those from `_LONE_LETTER` on are each a word alone."""


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """All n-grams of n texts in the order words, word pairs, characters: slot and whether it is language, [m] each.

    Language are pairs of words that begin with a letter and character n-grams of nothing but letters; labels such as
    `A.`, numbers and punctuation look alike in every language. `bounds` [parts, n + 1] is where those of each text
    begin in each part, and where the part ends; a text's last ones in a part may be `NOWHERE`.
    """

    slots: Ints
    language: Bools
    bounds: Ints

    def __len__(self) -> int:
        return len(self.bounds[0]) - 1

    def count(self, mask: Bools) -> Ints:
        """For how many of each text's n-grams the mask [m] is true, [n]."""
        counts: Ints = np.add.reduce(self.among(mask.nonzero()[0]), axis=0)
        return counts

    def among(self, places: Ints) -> Ints:
        """How many of these rising places among the n-grams are in each part of each text, [parts, n]."""
        before = places.searchsorted(self.bounds)
        counts: Ints = before[:, 1:] - before[:, :-1]
        return counts


def _mix(codes: NDArray[np.integer[Any]]) -> _Hashes:
    mixed: _Hashes = (codes.astype(np.uint64) + _MIX_ADD) * _MIX_1
    mixed ^= mixed >> 29
    mixed *= _MIX_2
    return mixed


@functools.cache
def _class_of_kind() -> _Classes:
    """The class by kind: marks and letters of either case belong together in a word."""
    classes = np.full(len(Kind), _LONE_SIGN, np.uint8)
    classes[[Kind.SPACE, Kind.NEWLINE, Kind.EDGE]] = _BLANK
    classes[Kind.DIGIT] = _DIGIT
    classes[[Kind.LOWER, Kind.UPPER, Kind.MARK, Kind.LETTER, Kind.HANGUL]] = _LETTER
    classes[[Kind.UNSPACED, Kind.IDEOGRAPH, Kind.HIRAGANA, Kind.KATAKANA]] = _LONE_LETTER
    return classes


@functools.cache
def class_table() -> _Classes:
    """The class of every character up to U+FFFF, [65536]; beyond, ideographs and signs are each a word alone."""
    table = _class_of_kind()[kinds_of(np.arange(1 << 16, dtype=np.uint32))]
    table.flags.writeable = False
    return table


@functools.cache
def _ascii() -> tuple[bytes, _Hashes]:
    """The classes of ASCII as a table for `bytes.translate`, and the hashes."""
    return class_table()[:128].tobytes().ljust(256, b"\0"), _mixed(np.arange(128, dtype=np.uint32), class_table()[:128])


def _mixed(codes: Codes, classes: _Classes) -> _Hashes:
    """The hash of each character."""
    return _mix(np.where(classes == _DIGIT, _ZERO, codes))


def _classes_and_hashes(text: str) -> tuple[_Classes, _Hashes]:
    """The class of each character, and its hash; most are ASCII, whose hashes are looked up."""
    table, known = _ascii()
    if text.isascii():
        raw = text.encode()
        return np.frombuffer(raw.translate(table), np.uint8), known.take(np.frombuffer(raw, np.uint8))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    classes = class_table().take(codes, mode="clip")
    if codes.max() >= len(class_table()):
        classes = _class_of_kind()[kinds_of(codes)]
    hashes = known.take(codes, mode="clip")
    others = (codes >= len(known)).nonzero()[0]
    hashes[others] = _mixed(codes.take(others), classes.take(others))
    return classes, hashes


def _powers(base: int, count: int) -> _Hashes:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    np.multiply.accumulate(powers, out=powers)
    return powers


@functools.cache
def _usual_powers() -> tuple[_Hashes, _Hashes]:
    """Powers of the base, and of its inverse among whole numbers modulo 2 ** 64."""
    return _powers(_BASE, _USUAL_LENGTH), _powers(pow(_BASE, -1, 1 << 64), _USUAL_LENGTH)


def _word_hashes(mixed: _Hashes, classes: _Classes, first: Ints) -> _Hashes:
    """The sum of each word's hashes by power of the base; the powers run on, and are divided out again."""
    rising, falling = _usual_powers()
    if len(mixed) > _USUAL_LENGTH:
        rising, falling = (_powers(int(powers[1]), len(mixed)) for powers in (rising, falling))
    terms = mixed * rising[: len(mixed)]
    terms *= classes > _BLANK
    sums: _Hashes = np.add.reduceat(terms, first)
    sums *= falling.take(first)
    return sums


def _word_starts(classes: _Classes) -> Ints:
    own = classes[1:]
    begins = own != classes[:-1]
    begins |= own >= _LONE_LETTER
    begins &= own > _BLANK
    first: Ints = begins.nonzero()[0] + 1
    return first


def _write_words(slots: _Hashes, language: _Classes, hashes: _Hashes, letters: _Classes) -> None:
    """The unscrambled slots of words and of pairs, and which pairs are language."""
    words = len(hashes)
    np.add(hashes, 1, out=slots[:words])
    pairs = slots[words:]
    np.multiply(hashes[:-1], _BASE, out=pairs)
    pairs += hashes[1:]
    pairs += 2
    np.bitwise_and(letters[:-1], letters[1:], out=language[words:])


def _write_characters(slots: _Hashes, language: _Classes, mixed: _Hashes, letters: _Classes) -> None:
    """The unscrambled slots of character n-grams, and which of them are language."""
    start, rolling, lettered = 0, mixed, letters
    for order in range(2, min(max(CHARACTER_ORDERS), len(mixed)) + 1):
        rolling = rolling[:-1] * _BASE
        rolling += mixed[order - 1 :]
        lettered = lettered[:-1] & letters[order - 1 :]
        if order in CHARACTER_ORDERS:
            stop = start + len(rolling)
            np.add(rolling, order, out=slots[start:stop])
            language[start:stop] = lettered
            start = stop


@functools.cache
def _reach() -> tuple[tuple[int, int], ...]:
    """Parts, and how far before a text's first word or character there begins what reaches into it from another."""
    characters = ((part, back) for part, order in enumerate(CHARACTER_ORDERS, 2) for back in range(1, order))
    return ((_PAIRS, 1), *characters)


def _across(starts: Sequence[int], sizes: Sequence[int], words: Sequence[int], characters: Sequence[int]) -> list[int]:
    """The n-grams that lie across two texts: parts start there and are so long, the texts after the first one begin
    with these words and characters.
    """
    found = []
    for part, back in _reach():
        start, size = starts[part], sizes[part]
        for begin in words if part == _PAIRS else characters:
            if back <= begin < size + back:
                found.append(start + begin - back)
    return found


def ngrams_of(texts: Sequence[str]) -> NGrams:
    """The n-grams of texts, which are normalised first (`normal_text`); those of a text never depend on the others."""
    normal = [normal_text(text) for text in texts]
    classes, mixed = _classes_and_hashes(f" {'  '.join(normal)} ")
    first, letters = _word_starts(classes), classes & np.uint8(1)
    n, words = len(classes), len(first)
    sizes = [words, max(words - 1, 0), *(max(n + 1 - order, 0) for order in CHARACTER_ORDERS)]
    *starts, total = itertools.accumulate(sizes, initial=0)
    slots, language, end = np.empty(total, np.uint64), np.zeros(total, np.uint8), starts[2]
    if words:
        _write_words(slots[:end], language[:end], _word_hashes(mixed, classes, first), letters.take(first))
    _write_characters(slots[end:], language[end:], mixed, letters)
    # The top 19 bits of a last scrambling; what was added keeps the parts apart.
    slots ^= slots >> _FOLD
    slots *= _LAST
    slots >>= _SHIFT
    slots[end:] += WORD_SLOTS
    spans = [*itertools.accumulate((len(text) + 2 for text in normal), initial=0)]
    own_words = first.searchsorted(spans)
    if len(texts) > 1:
        across = _across(starts, sizes, own_words[1:-1].tolist(), spans[1:-1])
        slots[across] = NOWHERE
        language[across] = 0
    bounds = np.empty((len(sizes), len(spans)), np.int64)
    bounds[:2], bounds[2:] = own_words, spans
    np.minimum(bounds, np.array(sizes)[:, None], out=bounds)
    bounds += np.array(starts)[:, None]
    return NGrams(slots.view(np.int64), language.view(np.bool_), bounds)


__all__ = [
    "CHARACTER_ORDERS",
    "CHARACTER_SLOTS",
    "NOWHERE",
    "SLOTS",
    "WORD_SLOTS",
    "NGrams",
    "class_table",
    "ngrams_of",
]
