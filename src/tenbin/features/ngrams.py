"""Words, word pairs and character n-grams of a text as hashed slots: any script, no vocabulary file.

A word is a run of letters of one spaced script or a run of digits; in scripts without spaces (Japanese, Chinese,
Thai, ...) every character is a word, so that word pairs are character pairs there; every other visible sign is a word
of its own. All digits count as the same digit: the shape of a number matters, not its value. Hashes are polynomial
in 64-bit arithmetic that wraps around, so that all n-grams of a text come from a few array operations.

One text at a time: its arrays stay in the first cache, where many texts at once took a fifth longer, and what lies
across two texts needs no care.
"""

from __future__ import annotations

import functools
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
CHARACTER_ORDERS = (3, 4, 5)

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
_USUAL_LENGTH = 1 << 12
"""Powers up to that many characters are kept: routing texts are shorter, unless their signs stand for several."""

_BLANK, _LETTER, _DIGIT, _LONE_LETTER, _LONE_SIGN = range(5)
"""Classes of characters: letters are the odd ones, and those from `_LONE_LETTER` on are each a word alone."""


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """All n-grams of a text in the order words, word pairs, characters: slot and whether it is language, [m] each.

    Language are pairs of words that begin with a letter and character n-grams of nothing but letters; labels such as
    `A.`, numbers and punctuation look alike in every language.
    """

    slots: Ints
    language: Bools


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


def _read(codes: Codes) -> tuple[_Classes, _Hashes]:
    """The class of each character, and its hash."""
    classes = _class_of_kind()[kinds_of(codes)]
    return classes, _mix(np.where(classes == _DIGIT, _ZERO, codes))


@functools.cache
def _ascii() -> tuple[bytes, _Hashes]:
    """The classes of ASCII as a table for `bytes.translate`, and the hashes: most text is looked up at once."""
    classes, mixed = _read(np.arange(128, dtype=np.uint32))
    return classes.tobytes().ljust(256, b"\0"), mixed


def _classes_and_hashes(text: str) -> tuple[_Classes, _Hashes]:
    if not text.isascii():
        return _read(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4"))
    raw = text.encode()
    table, mixed = _ascii()
    return np.frombuffer(raw.translate(table), np.uint8), mixed.take(np.frombuffer(raw, np.uint8))


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


def ngrams_of(text: str) -> NGrams:
    """The n-grams of a text, which is normalised first (`normal_text`)."""
    classes, mixed = _classes_and_hashes(f" {normal_text(text)} ")
    own = classes[1:]
    begins = own != classes[:-1]
    begins |= own >= _LONE_LETTER
    begins &= own > _BLANK
    first = np.flatnonzero(begins) + 1
    letters = classes & np.uint8(1)
    n, words = len(classes), len(first)
    lengths = [words, max(words - 1, 0), *(max(n + 1 - order, 0) for order in CHARACTER_ORDERS)]
    slots, language = np.empty(sum(lengths), np.uint64), np.zeros(sum(lengths), np.uint8)
    end = words + lengths[1]
    if words:
        hashes, lettered = _word_hashes(mixed, classes, first), letters.take(first)
        np.add(hashes, 1, out=slots[:words])
        np.multiply(hashes[:-1], _BASE, out=slots[words:end])
        slots[words:end] += hashes[1:] + 2
        np.bitwise_and(lettered[:-1], lettered[1:], out=language[words:end])
    start, rolling, lettered = end, mixed, letters
    for order in range(2, min(max(CHARACTER_ORDERS), n) + 1):
        rolling = rolling[:-1] * _BASE
        rolling += mixed[order - 1 :]
        lettered = lettered[:-1] & letters[order - 1 :]
        if order in CHARACTER_ORDERS:
            stop = start + len(rolling)
            np.add(rolling, order, out=slots[start:stop])
            language[start:stop] = lettered
            start = stop
    # The top 19 bits of a last scrambling; what was added keeps the parts apart.
    slots ^= slots >> _FOLD
    slots *= _LAST
    slots >>= _SHIFT
    slots[end:] += WORD_SLOTS
    return NGrams(slots.view(np.int64), language.view(np.bool_))


__all__ = ["CHARACTER_ORDERS", "CHARACTER_SLOTS", "SLOTS", "WORD_SLOTS", "NGrams", "ngrams_of"]
