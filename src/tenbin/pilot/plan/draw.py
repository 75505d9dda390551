"""Drawing at random with known probabilities: prompts evenly over the clusters, pairs by what their labels are worth.

Every draw is systematic: items stand in the order of their clusters, and a ladder with one random start picks them.
Each is drawn with exactly its own probability, and neighbours in the order share the luck, so that a small sample
covers the traffic (Madow 1949; Särndal, Swensson and Wretman, "Model Assisted Survey Sampling", 3.4 and 3.7).
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Bools, Floats, Ints

LEAST_PROPENSITY = 0.25
"""No pair that may be drawn at all is less likely than that, so that no weight is above 4.

A label of weight 20 among hundreds of weight 1 makes a mean worse, not better.
"""
FULL_SHARE = 0.9
"""The mean probability, over prompts, of the candidate whose labels are worth most beside the cheapest."""
MOST_CANDIDATES = 4
"""Asked of one prompt, at most."""
LEAST_SHARE = 0.02
"""A candidate whose labels make up less of all worth is not asked."""
EXACT = 1e-9


def even_rows(cluster: Ints, among: Bools, count: int, rng: np.random.Generator) -> Ints:
    """`count` of the rows where `among` [n] holds, each as likely as any other, spread evenly over `cluster` [n]."""
    rows = in_cluster_order(cluster, np.flatnonzero(among), rng)
    if count >= len(rows):
        return np.sort(rows)
    drawn = systematic(np.full(len(rows), count / len(rows)), rng)
    return np.sort(rows[drawn])


def in_cluster_order(cluster: Ints, rows: Ints, rng: np.random.Generator) -> Ints:
    """The rows cluster by cluster, both clusters and the rows in each in random order."""
    shuffled = rng.permutation(rows)
    place = rng.permutation(int(cluster.max(initial=0)) + 1)
    return shuffled[np.argsort(place[cluster[shuffled]], kind="stable")]


def systematic(probability: Floats, rng: np.random.Generator) -> Ints:
    """The drawn positions, ascending: position i with probability `probability` [n] in [0, 1] exactly."""
    steps = np.concatenate([[0.0], np.cumsum(probability)]) + rng.uniform()
    # A sum of n probabilities that should be whole may miss it by rounding; a rung must not be lost or doubled by that.
    rungs = np.floor(steps + EXACT)
    return np.flatnonzero(rungs[1:] > rungs[:-1])


def propensities(worth: Floats, cost_usd: Floats) -> Floats:
    """The probability [n, M] with which each pair is bought, from what its label is worth and costs.

    Proportional to the root of worth per dollar, the allocation of least variance for a given sum (Neyman's, with
    costs), in [LEAST_PROPENSITY, 1]. The cheapest candidate is asked of every prompt: it says how hard the prompt is,
    and no prompt that was drawn stays without an answer. Beside it the three whose labels are worth most in all are in
    play, less any that would be asked less than `LEAST_PROPENSITY` on average; those that cost nothing, always. Of the
    others nothing is bought, whatever the prompt, which biases nothing.
    """
    total, mean_usd = worth.sum(axis=0), cost_usd.mean(axis=0)
    cheapest = int(mean_usd.argmin())
    others = [m for m in np.argsort(-total, kind="stable").tolist() if m != cheapest]
    least = LEAST_SHARE * float(total.sum())
    live = [m for m in others[: MOST_CANDIDATES - 1] if total[m] >= least and total[m] > 0.0]
    asked = np.zeros(worth.shape)
    asked[:, [cheapest, *(m for m in live if mean_usd[m] <= 0.0)]] = 1.0
    paid = [m for m in live if mean_usd[m] > 0.0]
    if paid:
        per_dollar = np.sqrt(worth[:, paid] / np.maximum(cost_usd[:, paid], np.finfo(np.float64).tiny))
        wanted = np.minimum(FULL_SHARE / float(per_dollar[:, 0].mean()) * per_dollar, 1.0)
        is_often = wanted.mean(axis=0) >= LEAST_PROPENSITY
        asked[:, np.array(paid)[is_often]] = np.maximum(wanted[:, is_often], LEAST_PROPENSITY)
    return asked
