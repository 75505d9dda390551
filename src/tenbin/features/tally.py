"""What is counted in texts, sign by sign, for all who reckon with it: by the compiled kernel where there is one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tenbin.features.characters import Joined, Kind, join
from tenbin.features.kernel import load_kernel
from tenbin.features.marks import count_marks
from tenbin.types import Bools, Ints

PAIRS = 256
_LENGTHS = 3


class Tally(NamedTuple):
    """What is counted in n texts.

    `pairs` [n, 256]: how often a kind of character follows another; a pair is 16 x kind before + kind. `lengths`
    [n, 3]: letters of Latin words from the 5th to the 8th, those from the 9th on, and begun triples of digits.
    `marks` [marked, names]: how often the words of each of `MARKS` stand in the first texts.
    """

    pairs: Ints
    lengths: Ints
    marks: Ints


def tally(texts: Sequence[str], marked: int = 0) -> Tally:
    """The tally of n texts, with the marks of so many of them; what is counted in one never depends on the others."""
    kernel = load_kernel()
    return tally_uncompiled(texts, marked) if kernel is None else Tally(*kernel.tally(texts, marked))


def tally_uncompiled(texts: Sequence[str], marked: int = 0) -> Tally:
    """The same without the kernel."""
    joined = join(texts)
    return Tally(_pairs(joined), _lengths(joined), count_marks(joined, marked))


def _pairs(joined: Joined) -> Ints:
    pairs = (joined.kinds[:-1] << 4) | joined.kinds[1:]  # there are 16 kinds: a pair fits a byte
    counts = np.empty((len(joined), PAIRS), np.int64)
    for own, (start, stop) in zip(counts, itertools.pairwise(joined.bounds.tolist()), strict=True):
        own[:] = np.bincount(pairs[start : stop - 1], minlength=PAIRS)
    return counts


def _runs(mask: Bools) -> tuple[Ints, Ints]:
    """Where runs of true begin, and how long they are; `mask` begins and ends with false."""
    bounds = (mask[1:] != mask[:-1]).nonzero()[0]
    begins = bounds[::2]
    return begins + 1, bounds[1::2] - begins


def _lengths(joined: Joined) -> Ints:
    # Numbers, not members of the enumeration: NumPy takes longer to read one than to compare with it.
    lower, upper, digit = map(int, (Kind.LOWER, Kind.UPPER, Kind.DIGIT))
    words, letters = _runs((joined.kinds == lower) | (joined.kinds == upper))
    numbers, digits = _runs(joined.kinds == digit)
    by_letters = np.minimum(letters, 8).clip(4) - 4, letters.clip(8) - 8
    lengths = np.empty((len(joined), _LENGTHS), np.int64)
    for column, (places, values) in enumerate([*((words, of) for of in by_letters), (numbers, (digits + 2) // 3)]):
        sums = np.add.accumulate(np.append(0, values)).take(places.searchsorted(joined.bounds))
        lengths[:, column] = sums[1:] - sums[:-1]
    return lengths


__all__ = ["PAIRS", "Tally", "tally", "tally_uncompiled"]
