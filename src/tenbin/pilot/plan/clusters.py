"""Clusters of prompts that speak of alike things, so that a small sample can cover the traffic."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tenbin.features import HashedEmbedder, routing_text
from tenbin.pilot.prompt import PilotPrompt
from tenbin.types import Float32s, Floats, Ints

MOST_CLUSTERS = 64
ROUNDS = 15
DIM = 64
"""What tells clusters apart needs fewer directions than what tells difficulty."""
MOST_LEARNT_ROWS = 3_000
"""Prompts that teach the vectors and place the centres; all are assigned to them."""


def cluster_prompts(prompts: Sequence[PilotPrompt], *, seed: int) -> Ints:
    """The cluster [n] of every prompt, numbered from 0, by the base embedder's vectors."""
    texts = [routing_text(prompt.asked) for prompt in prompts]
    if not any(text.strip() for text in texts):
        return np.zeros(len(texts), dtype=np.int64)
    vectors = HashedEmbedder(DIM, max_rows=MOST_LEARNT_ROWS, seed=seed).fit(texts).embed(texts)
    return k_means(vectors, min(MOST_CLUSTERS, math.ceil(math.sqrt(len(texts) / 2))), seed=seed)


def k_means(vectors: Float32s, count: int, *, seed: int) -> Ints:
    """The nearest of at most `count` centres for each row of `vectors` [n, d].

    Lloyd's rounds from k-means++ seeds (Arthur and Vassilvitskii 2007); centres without rows fall away.
    """
    rng = np.random.default_rng(seed)
    rows = vectors.astype(np.float64)
    sample = rows[rng.permutation(len(rows))[:MOST_LEARNT_ROWS]]
    centres = _spread(sample, count, rng)
    for _ in range(ROUNDS):
        nearest = _nearest(sample, centres)
        sizes = np.bincount(nearest, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        moved = sums[sizes > 0] / sizes[sizes > 0, None]
        if moved.shape == centres.shape and np.allclose(moved, centres):
            break
        centres = moved
    _, numbered = np.unique(_nearest(rows, centres), return_inverse=True)
    return numbered.astype(np.int64)


def _spread(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Rows far from each other: each next one drawn in proportion to its squared distance from those taken."""
    taken = [int(rng.integers(len(rows)))]
    distance = ((rows - rows[taken[0]]) ** 2).sum(axis=1)
    while len(taken) < count and distance.sum() > 1e-12:
        taken.append(int(rng.choice(len(rows), p=distance / distance.sum())))
        distance = np.minimum(distance, ((rows - rows[taken[-1]]) ** 2).sum(axis=1))
    return rows[taken].copy()


def _nearest(rows: Floats, centres: Floats) -> Ints:
    scores = rows @ centres.T - 0.5 * (centres**2).sum(axis=1)
    nearest: Ints = scores.argmax(axis=1)
    return nearest
