"""Which prompts to ask a new candidate: a few that cover easy and hard, and every other way in which answers differ.

A systematic sample along the factors: equal chances for all prompts, so nothing needs to be weighed afterwards, but
never all of one kind. On real outcomes it told more of a newcomer than a random draw, and as much as designs that
chase the largest information and pay for it where the model is wrong (docs/LOG.md).
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats, Ints


def spread_sample(factors: Floats, count: int, seed: int) -> Ints:
    """`count` of the rows of `factors` [N, K], in order; each has the chance count / N, and they cover the factors.

    Rows are ordered by the first factor in about sqrt(count) bands, inside each by the second, back and forth; every
    N / count-th is taken from a random start.
    """
    n = len(factors)
    if count >= n:
        return np.arange(n, dtype=np.int64)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(n)
    second = factors[:, min(1, factors.shape[1] - 1)]
    order = shuffled[np.argsort(factors[shuffled, 0], kind="stable")]
    bands = [band[np.argsort(second[band], kind="stable")] for band in np.array_split(order, round(np.sqrt(count)))]
    snake = np.concatenate([band if i % 2 == 0 else band[::-1] for i, band in enumerate(bands)])
    step = n / count
    at = rng.random() * step + step * np.arange(count)
    return np.sort(snake[np.minimum(at.astype(np.int64), n - 1)])
