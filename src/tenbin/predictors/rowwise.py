"""Matrix products whose rows do not know of each other, and that one small decision can afford.

BLAS picks its kernel by the shape of the whole product, so the last bit of a row would depend on how many other rows
were asked for; and beyond some thousand multiplications it may wake its threads, which costs a single decision more
than the work. Here every row is multiplied by itself, in tiles below that size, one BLAS call each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tenbin.types import Floats

LARGEST_TILE = 9_200
"""Multiplications in one tile: every OpenBLAS keeps a vector times a matrix on one thread below 9,216."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiled:
    """Weights [p, q] laid out once for all rows that they are to meet.

    `tiles` [k, 1, p, width] hold neighbouring columns, the last ones filled up with zeros. Each column lies in one
    piece: a sum along it takes a third of the time that columns side by side take.
    """

    tiles: Floats
    q: int

    @classmethod
    def of(cls, weights: Floats) -> Self:
        """The tiles of `weights` [p, q]."""
        p, q = weights.shape
        count = max(-(-q // max(LARGEST_TILE // max(p, 1), 1)), 1)
        width = -(-q // count)
        columns = np.zeros((count * width, p))
        columns[:q] = weights.T
        return cls(columns.reshape(count, 1, width, p).transpose(0, 1, 3, 2), q)

    @property
    def columns(self) -> Floats:
        """The columns of the weights as they were given, [q, p]."""
        count, _, p, width = self.tiles.shape
        return self.tiles.transpose(0, 1, 3, 2).reshape(count * width, p)[: self.q]

    @property
    def weights(self) -> Floats:
        """The weights [p, q] as they were given."""
        return np.ascontiguousarray(self.columns.T)

    def product(self, x: Floats) -> Floats:
        """`x` [n, p] times the weights = [n, q]; a row is the same to the bit whatever the other rows are."""
        rows = x if x.strides[1] == x.itemsize else np.ascontiguousarray(x)
        # Tile by tile for all rows: a tile stays in the cache, all of the weights would not.
        products = np.matmul(rows[:, None], self.tiles)[:, :, 0]
        n, width = len(x), products.shape[0] * products.shape[2]
        found: Floats = products.transpose(1, 0, 2).reshape(n, width)[:, : self.q]
        return found
