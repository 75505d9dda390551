"""What a text is in the directions that a fit has learnt, and how much of it the fit has seen.

Projection is exact: weights and directions are whole numbers whose products and sums all stay below 2**24 by
Cauchy-Schwarz, so that no order of summation, batch shape, thread count or processor changes a bit of the result, nor
does the compiled kernel, which does the same where it was built. Vectors are brought to length 1 row by row.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenbin.features.familiarity import known_shares, new_shares
from tenbin.features.kernel import Kernel, Learnt, load_kernel
from tenbin.features.lexicon import Lexicon, some_at_once
from tenbin.features.ngrams import ngrams_of
from tenbin.types import Float32s, Floats, Ints


class Read(NamedTuple):
    """What is read of n texts: unit (or zero) vectors [n, dim]; the share of n-grams that are known, and the share that
    no training prompt had, [n] each (familiarity.py).
    """

    vectors: Float32s
    known: Floats
    new: Floats


class Projection:
    """The directions, int8 [V, dim], of the n-grams of a lexicon, and their scales [dim]."""

    def __init__(self, lexicon: Lexicon, directions: NDArray[np.int8], scale: Float32s) -> None:
        self.lexicon = lexicon
        self.directions = np.ascontiguousarray(directions)
        self.scale = np.ascontiguousarray(scale, dtype=np.float32)
        self._learnt: Learnt | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it is told to the kernel of that one: addresses mean nothing there."""
        return Projection, (self.lexicon, self.directions, self.scale)

    @property
    def dim(self) -> int:
        """How many directions there are."""
        return int(self.directions.shape[1])

    def read(self, texts: Sequence[str]) -> Read:
        """What is read of n texts, by the compiled kernel where there is one; a text's own never depends on others."""
        kernel = load_kernel()
        parts = [self._read(texts[start:stop], kernel) for start, stop in some_at_once(texts)]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros((0, self.dim), np.float32), np.zeros(0), np.zeros(0)
        return Read(*map(np.concatenate, zip(none, *parts, strict=True)))

    def _read(self, texts: Sequence[str], kernel: Kernel | None) -> Read:
        if kernel is not None and kernel.can_read(self.lexicon):
            return Read(*kernel.read(texts, self.told(kernel)))
        return self.read_uncompiled(texts)

    def told(self, kernel: Kernel) -> Learnt:
        """What the kernel is told of it, if it can read so much."""
        if self._learnt is None:
            self._learnt = kernel.learnt(self.lexicon, self.directions, self.scale)
        return self._learnt

    def read_uncompiled(self, texts: Sequence[str]) -> Read:
        """The same without the kernel, to the bit."""
        found = ngrams_of(texts)
        rows = self.lexicon.rows.take(found.slots)
        is_known = self.lexicon.is_known(rows)
        sums = self._projected(*self.lexicon.weights(found, rows, is_known))
        return Read(self._unit(sums), known_shares(found, is_known), new_shares(found, rows == 0))

    def _projected(self, known: Ints, weights: Float32s, bounds: Ints) -> Float32s:
        """The sums [n, dim] of the texts' weighted directions, given what `Lexicon.weights` gives."""
        sums = np.zeros((len(bounds) - 1, self.dim), np.float32)
        # Text by text; widened after they are taken, since all of the directions in float32 would fill the caches.
        for i, (start, stop) in enumerate(itertools.pairwise(bounds.tolist())):
            sums[i] = weights[start:stop] @ self.directions.take(known[start:stop], 0).astype(np.float32)
        return sums

    def _unit(self, sums: Float32s) -> Float32s:
        vectors = sums.astype(np.float64) * self.scale
        lengths = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
        unit: Float32s = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return unit


__all__ = ["Projection", "Read"]
