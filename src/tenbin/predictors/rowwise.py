"""Matrix products whose rows do not know of each other, and that one small decision can afford.

BLAS picks its kernel by the shape of the whole product, so the last bit of a row would depend on how many other rows
were asked for; and beyond some thousand multiplications it may wake its threads, which costs a single decision more
than the work. Here NumPy multiplies every row by itself, in tiles below that size, one BLAS call each.
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats

LARGEST_TILE = 9_200
"""Multiplications in one tile: every OpenBLAS keeps a vector times a matrix on one thread below 9,216."""


def product(x: Floats, weights: Floats) -> Floats:
    """`x` [n, p] times `weights` [p, q] = [n, q]; a row is the same to the bit whatever the other rows are."""
    n, p = x.shape
    q = weights.shape[1]
    width = max(1, LARGEST_TILE // max(p, 1))
    tiled = q - q % width
    rows, out = np.ascontiguousarray(x)[:, None, None, :], np.empty((n, q))
    if tiled:
        tiles = weights[:, :tiled].reshape(p, tiled // width, width).transpose(1, 0, 2)
        out[:, :tiled] = np.matmul(rows, tiles).reshape(n, tiled)
    if tiled < q:
        out[:, tiled:] = np.matmul(rows[:, 0], weights[:, tiled:])[:, 0]
    return out
