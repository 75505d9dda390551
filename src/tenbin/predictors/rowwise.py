"""Matrix products whose rows do not know of each other, and that one small decision can afford.

BLAS picks its kernel by the shape of the whole product, so the last bit of a row would depend on how many other rows
were asked for; and beyond a few hundred thousand multiplications it wakes its threads, which costs a single decision
more than the work. Here every product is cut into tiles of one fixed shape below that size.
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats

ROWS_AT_ONCE = 4
LARGEST_TILE = 250_000
"""Multiplications in one tile: OpenBLAS stays on one thread below 262,144."""


def product(x: Floats, weights: Floats) -> Floats:
    """`x` [n, p] times `weights` [p, q] = [n, q]; a row is the same to the bit whatever the other rows are."""
    n, p = x.shape
    q = weights.shape[1]
    width = max(1, LARGEST_TILE // (ROWS_AT_ONCE * max(p, 1)))
    padded = np.zeros((-(-n // ROWS_AT_ONCE) * ROWS_AT_ONCE, p))
    padded[:n] = x
    out = np.empty((len(padded), q))
    for column in range(0, q, width):
        part = weights[:, column : column + width]
        for row in range(0, len(padded), ROWS_AT_ONCE):
            np.matmul(
                padded[row : row + ROWS_AT_ONCE], part, out=out[row : row + ROWS_AT_ONCE, column : column + width]
            )
    return out[:n]
