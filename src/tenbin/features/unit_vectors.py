"""Vectors as every embedder returns them: float32 rows of length one, or zero where there is nothing to say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.types import Float32s


def unit_vectors(raw: NDArray[Any]) -> Float32s:
    """Rows of `raw` [n, d] divided by their length, float32; rows that are zero or not finite become zero."""
    vectors = np.asarray(raw, np.float64)
    finite = np.isfinite(vectors).all(axis=1, keepdims=True)
    vectors = np.where(finite, vectors, 0.0)
    lengths = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    return (vectors / np.where(lengths > 1e-12, lengths, 1.0)).astype(np.float32)


__all__ = ["unit_vectors"]
