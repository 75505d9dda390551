"""The n-grams that a fit kept, how rare each one is, and what a text weighs in them."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.features.characters import blocks
from tenbin.features.ngrams import SLOTS, NGrams, ngrams_of
from tenbin.types import Bools, Float32s, Floats, Ints

Rows = NDArray[np.unsignedinteger[Any]]
"""The row of the projection for each n-gram, counted from 1; 0 where no training prompt had it, and one more than there
are rows where some had it that is not projected.
"""

TEXT_NORM = 2048.0
_MAX_COUNT = 4096
_TEXTS_AT_ONCE = 16
_CHARACTERS_AT_ONCE = 1 << 16


@functools.cache
def log_counts() -> Floats:
    """1 + log(count) for counts from 1, 0 for 0; counts are capped."""
    return np.array([0.0] + [1.0 + math.log(count) for count in range(1, _MAX_COUNT)])


def some_at_once(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of texts that are worked on together."""
    return blocks(texts, _TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE)


def row_of_each(slots: Ints, seen: Bools) -> Rows:
    """`Rows` of every slot and of nowhere [SLOTS + 1], given the slots kept and which were seen at all [SLOTS]."""
    beyond = len(slots) + 1
    # As narrow as it can be: every request looks up thousands of places in it, all over the table.
    rows = np.full(SLOTS + 1, beyond, np.promote_types(np.min_scalar_type(beyond), np.uint16))
    rows[:SLOTS][~seen] = 0
    rows[slots] = np.arange(1, beyond)
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The n-grams of `slots` [V], those of words first, each part rising; `seen` [SLOTS] any training prompt had.

    `idf` [V] is how rare each is, `n_words` how many of them are words; characters weigh `character_weight` of what
    words do.
    """

    slots: Ints
    idf: Float32s
    n_words: int
    character_weight: float
    seen: Bools
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", row_of_each(self.slots, self.seen))

    def __len__(self) -> int:
        return len(self.slots)

    def is_known(self, rows: Rows) -> Bools:
        """Which rows are projected."""
        known: Bools = rows > 0
        known &= rows <= rows.dtype.type(len(self))
        return known

    def weights(self, found: NGrams, rows: Rows, is_known: Bools) -> tuple[Ints, Float32s, Ints]:
        """The index in `slots` [k], rising in each text, and the whole-number weight [k] of every known n-gram of n
        texts, and where those of each text begin, and the last ones end [n + 1].

        `rows` [m] are the n-grams' own, `is_known` [m] says which are known.
        """
        n, bits = len(found), len(self).bit_length()
        places = is_known.nonzero()[0]
        texts = np.arange(n + 1, dtype=np.int32) << bits
        keys = texts[None, :-1].repeat(len(found.bounds), 0).ravel().repeat(found.among(places).ravel())
        keys += rows.take(places)
        keys.sort()  # faster than counting in a table of all texts and slots
        is_first = np.empty(len(keys) + 1, np.bool_)
        is_first[0] = is_first[-1] = True
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:-1])
        firsts = is_first.nonzero()[0]
        known = keys.take(firsts[:-1])
        weights = log_counts().take(firsts[1:] - firsts[:-1], mode="clip")
        # In each text words come before characters; the two halves are weighed apart.
        starts = texts.repeat(2)[:-1]
        starts[1::2] += self.n_words + 1
        halves = known.searchsorted(starts)
        sizes = halves[1:] - halves[:-1]
        known &= (1 << bits) - 1
        known -= 1
        weights *= self.idf.take(known)
        # Summed one after the other: the last bit of a sum depends on its order, and fits are compared by their hash.
        squares = np.bincount(np.arange(2 * n).repeat(sizes), weights * weights, 2 * n).tolist()
        norms = map(self._norms, squares[::2], squares[1::2])
        weights *= np.array([*itertools.chain.from_iterable(norms)]).repeat(sizes)
        return known, np.rint(weights, out=weights).astype(np.float32), halves[::2]

    def _norms(self, words: float, characters: float) -> tuple[float, float]:
        """By what a text's weights of words and of characters are multiplied, given the sums of their squares."""
        of_words, of_characters = 1.0 if words > 0 else 0.0, self.character_weight if characters > 0 else 0.0
        whole = max(math.sqrt(of_words * of_words + of_characters * of_characters), 1e-12)
        return (
            TEXT_NORM * (of_words / whole) / max(math.sqrt(words), 1e-12),
            TEXT_NORM * (of_characters / whole) / max(math.sqrt(characters), 1e-12),
        )

    def weights_of(self, texts: Sequence[str]) -> Float32s:
        """The weights of many texts, [n, V]."""
        dense = np.zeros((len(texts), len(self)), np.float32)
        for start, stop in some_at_once(texts):
            found = ngrams_of(texts[start:stop])
            rows = self.rows.take(found.slots)
            known, weights, bounds = self.weights(found, rows, self.is_known(rows))
            dense[np.arange(start, stop).repeat(np.diff(bounds)), known] = weights
        return dense


__all__ = ["TEXT_NORM", "Lexicon", "Rows", "log_counts", "some_at_once"]
