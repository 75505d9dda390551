"""Words, word pairs and character n-grams of many texts at once, as hashed slots: any script, no vocabulary file.

A word is a run of letters of one spaced script or a run of digits; in scripts without spaces (Japanese, Chinese,
Thai, ...) every character is a word, so that word pairs are character pairs there; every other visible sign is a word
of its own. All digits count as the same digit: the shape of a number matters, not its value. Hashes are polynomial
in 64-bit arithmetic that wraps around, so that all n-grams of a batch come from a few array operations.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenbin.features.characters import Codes, Kind, Kinds, join
from tenbin.features.normal_text import normal_text
from tenbin.types import Bools, Ints

WORD_SLOTS = 1 << 19
CHARACTER_SLOTS = 1 << 19
SLOTS = WORD_SLOTS + CHARACTER_SLOTS
"""Slots [0, WORD_SLOTS) are words and word pairs, the rest character n-grams."""
CHARACTER_ORDERS = (3, 4, 5)

_Hashes = NDArray[np.uint64]
_BASE = 0x9E3779B97F4A7C15
_MIX_ADD = 0x1234567
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_LAST = 0xD6E8FEB86659FD93
_SHIFT = 64 - 19
_FOLD = 31
_ZERO = ord("0")


@dataclass(frozen=True, slots=True)
class NGrams:
    """All n-grams of a batch: slot, text and whether it is language, [m] each.

    Language are pairs of words that begin with a letter and character n-grams of nothing but letters; labels such as
    `A.`, numbers and punctuation look alike in every language.
    """

    slots: Ints
    owners: Ints
    language: Bools


def _mix(codes: Codes) -> _Hashes:
    mixed: _Hashes = (codes.astype(np.uint64) + _MIX_ADD) * _MIX_1
    mixed ^= mixed >> 29
    mixed *= _MIX_2
    return mixed


def _slots(hashes: Sequence[_Hashes], orders: Sequence[int]) -> Ints:
    """The top 19 bits of a last scrambling of each part, one after the other; `orders` keeps the parts apart."""
    scrambled = np.concatenate([part + np.uint64(order) for part, order in zip(hashes, orders, strict=True)])
    scrambled ^= scrambled >> _FOLD
    scrambled *= _LAST
    scrambled >>= _SHIFT
    return scrambled.view(np.int64)


@functools.cache
def _families() -> Kinds:
    """What belongs together in a word, by kind: marks and letters of either case do; 0 is blank, 9 a word alone."""
    return np.array([0, 0, 2, 2, 3, 2, 2, 2, 9, 9, 9, 9, 9, 9, 9, 0], np.uint8)


def _word_starts(family: Kinds) -> Bools:
    """Where a word begins."""
    starts: Bools = family > 0
    starts[1:] &= (family[1:] != family[:-1]) | (family[1:] == 9)
    return starts


def _word_hashes(mixed: _Hashes, blank: Bools, starts: Bools) -> _Hashes:
    first = np.flatnonzero(starts)
    index = np.arange(len(mixed), dtype=np.int64)
    place = index - np.maximum.accumulate(np.where(starts, index, 0))
    place[blank] = 0
    powers = np.full(int(place.max()) + 1, _BASE, np.uint64)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    terms = mixed * powers[place]
    terms[blank] = 0
    sums: _Hashes = np.add.reduceat(terms, first)
    return sums


def ngrams_of(texts: Sequence[str]) -> NGrams:
    """The n-grams of all texts, in the order words, word pairs, character 3-, 4- and 5-grams.

    Texts are normalised first (`normal_text`). A text's own n-grams never depend on the other texts.
    """
    joined = join([normal_text(text) for text in texts])
    kinds = joined.kinds
    family = _families()[kinds]
    mixed = _mix(np.where(kinds == Kind.DIGIT, _ZERO, joined.codes))
    letter = (kinds != Kind.DIGIT) & (kinds >= Kind.LOWER) & (kinds <= Kind.KATAKANA)
    owners = np.repeat(np.arange(len(texts)), np.diff(joined.starts, append=len(kinds) + 1))
    hashes: list[_Hashes] = []
    whose: list[Ints] = []
    same: list[Bools] = []
    language: list[Bools] = []
    starts = _word_starts(family)
    if starts.any():
        words = _word_hashes(mixed, family == 0, starts)
        word_owner, word_letter = owners[starts], letter[starts]
        hashes += [words, words[:-1] * _BASE + words[1:]]
        whose += [word_owner, word_owner[:-1]]
        same += [np.ones(len(words), np.bool_), word_owner[:-1] == word_owner[1:]]
        language += [np.zeros(len(words), np.bool_), word_letter[:-1] & word_letter[1:]]
    n_words = sum(map(len, hashes))
    rolling, lettered = mixed, letter
    for order in range(2, max(CHARACTER_ORDERS) + 1):
        rolling = rolling[:-1] * _BASE + mixed[order - 1 :]
        lettered = lettered[:-1] & letter[order - 1 :]
        if order in CHARACTER_ORDERS:
            hashes.append(rolling)
            whose.append(owners[: len(rolling)])
            same.append(owners[: len(rolling)] == owners[len(owners) - len(rolling) :])
            language.append(lettered)
    slots = _slots(hashes, [1, 2, *CHARACTER_ORDERS][-len(hashes) :])
    slots[n_words:] += WORD_SLOTS
    found = NGrams(slots, np.concatenate(whose), np.concatenate(language))
    if len(texts) < 2:
        return found
    within = np.concatenate(same)
    return NGrams(found.slots[within], found.owners[within], found.language[within])


__all__ = ["CHARACTER_ORDERS", "CHARACTER_SLOTS", "SLOTS", "WORD_SLOTS", "NGrams", "ngrams_of"]
