"""What is counted in texts, sign by sign, for all who reckon with it, where there is no compiled kernel."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tenbin.features.characters import Joined, Kind, join
from tenbin.features.marks import count_marks
from tenbin.features.token_events import PAIRS, length_columns, pair_events
from tenbin.types import Bools, Floats, Ints


class Tally(NamedTuple):
    """What is counted in n texts.

    `events` [n, events] are what tokens are estimated of (token_events.py), `kinds` [n, 16] the characters of each
    kind, `numbers` [n] the runs of digits, `marks` [marked, names] how often the words of each of `MARKS` stand in the
    first texts.
    """

    events: Floats
    kinds: Ints
    numbers: Ints
    marks: Ints


def tally(texts: Sequence[str], marked: int = 0) -> Tally:
    """The tally of n texts, with the marks of so many of them; what is counted in one never depends on the others."""
    joined = join(texts)
    pairs = _pairs(joined)
    # Whole numbers in floating point, which BLAS multiplies far faster; row by row, which wakes no threads.
    events: Floats = np.matmul(pairs.astype(np.float64)[:, None, :], pair_events())[:, 0]
    numbers, events[:, length_columns()] = _runs(joined)
    kinds = pairs.reshape(-1, len(Kind), len(Kind)).sum(axis=1)
    kinds[:, Kind.EDGE] = 0
    return Tally(events, kinds, numbers, count_marks(joined, marked))


def _pairs(joined: Joined) -> Ints:
    """How often a kind of character follows another in each text, [n, PAIRS]."""
    pairs = (joined.kinds[:-1] << 4) | joined.kinds[1:]  # there are 16 kinds: a pair fits a byte
    counts = np.empty((len(joined), PAIRS), np.int64)
    for own, (start, stop) in zip(counts, itertools.pairwise(joined.bounds.tolist()), strict=True):
        own[:] = np.bincount(pairs[start : stop - 1], minlength=PAIRS)
    return counts


def _where_and_how_long(mask: Bools) -> tuple[Ints, Ints]:
    """Where runs of true begin, and how long they are; `mask` begins and ends with false."""
    bounds = (mask[1:] != mask[:-1]).nonzero()[0]
    begins = bounds[::2]
    return begins + 1, bounds[1::2] - begins


def _runs(joined: Joined) -> tuple[Ints, Ints]:
    """How many runs of digits each text has [n], and what depends on how long its runs are [n, 3]: letters of Latin
    words from the 5th to the 8th, those from the 9th on, begun triples of digits.
    """
    # Numbers, not members of the enumeration: NumPy takes longer to read one than to compare with it.
    lower, upper, digit = map(int, (Kind.LOWER, Kind.UPPER, Kind.DIGIT))
    words, letters = _where_and_how_long((joined.kinds == lower) | (joined.kinds == upper))
    numbers, digits = _where_and_how_long(joined.kinds == digit)
    sums = np.empty((len(joined), 4), np.int64)
    for column, (places, values) in enumerate(
        (
            (words, letters.clip(4, 8) - 4),
            (words, letters.clip(8) - 8),
            (numbers, (digits + 2) // 3),
            (numbers, np.ones(len(numbers), np.int64)),
        )
    ):
        before = np.add.accumulate(np.append(0, values)).take(places.searchsorted(joined.bounds))
        sums[:, column] = before[1:] - before[:-1]
    return sums[:, 3].copy(), sums[:, :3]


__all__ = ["Tally", "tally"]
