"""How much of a text was there in the training prompts: shares of its n-grams."""

from __future__ import annotations

import numpy as np

from tenbin.features.ngrams import NOWHERE, NGrams
from tenbin.types import Bools, Floats

_WORD_PARTS = 2
"""The parts of `NGrams` that are words and word pairs; the others are characters."""


def known_shares(found: NGrams, is_known: Bools) -> Floats:
    """The share [n] of each text's n-grams that are known, by those that are language where there are any."""
    counts, known = found.count(found.language), found.count(found.language & is_known)
    if not counts.all():
        silent = counts == 0
        counts[silent], known[silent] = found.count(found.slots != NOWHERE)[silent], found.count(is_known)[silent]
    shares: Floats = known / np.maximum(counts, 1)
    return shares


def new_shares(found: NGrams, is_new: Bools) -> Floats:
    """The share [n] of each text's n-grams that are new: the mean of words with their pairs, and of characters."""
    counts = np.diff(found.bounds) - found.among((found.slots == NOWHERE).nonzero()[0])
    new = found.among(is_new.nonzero()[0])
    shares: Floats = np.zeros(len(found))
    for parts in (slice(_WORD_PARTS), slice(_WORD_PARTS, None)):
        shares += 0.5 * new[parts].sum(axis=0) / np.maximum(counts[parts].sum(axis=0), 1)
    return shares


__all__ = ["known_shares", "new_shares"]
