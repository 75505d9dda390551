"""What a label is worth: the probability that it turns a decision, times what the turn is worth.

At one trade-off the decision is the candidate of least loss. A candidate whose loss is g above the least (or, for the
chosen one, whose runner-up is g above it), with standard deviation s of that difference, turns the decision in favour
of the better by E[max(0, s Z - g)] on average: the knowledge gradient of ranking and selection (Frazier, Powell and
Dayanik, SIAM J. Control Optim. 2008), here in units of quality, and averaged over the trade-offs that the profile may
end at.
"""

from __future__ import annotations

import math

import numpy as np

from tenbin.risk import Anchors
from tenbin.types import Estimates, Floats

LEAST_SD = 0.05
"""Even where the predictor is sure, its mean may be off by so much."""
NOISE = 0.2
"""Variance of one answer's quality about its mean, where it is not known: that of pass or fail at 72 %."""


def label_worth(
    estimates: Estimates, mean_sd: Floats, correlation: Floats, cost_usd: Floats, anchors: Anchors, mus: Floats
) -> Floats:
    """What one more label is worth for each pair [n, M], in units of quality.

    `mean_sd` [M] are the standard errors of the candidates' means. That part of the uncertainty is shared by all
    prompts and gone after a few dozen labels of any of them, so no single label is paid for it: with it, candidates
    that were asked least looked worth most. `correlation` [M] is that of each candidate's errors with the reference's,
    `cost_usd` [n, M] predicted dollars of routed calls, `mus` [k] the trade-offs that matter, all below 1.
    """
    sd = np.sqrt(np.maximum(estimates.quality_sd**2 - mean_sd**2, LEAST_SD**2))
    worth = np.zeros_like(cost_usd)
    for mu in mus.tolist():
        # Losses in units of quality, so that worths at different trade-offs can be added up.
        loss = mu / (1.0 - mu) * cost_usd / anchors.c_ref_usd - estimates.quality
        worth += _worth_at(loss, sd, correlation)
    resolved: Floats = worth * sd**2 / (sd**2 + NOISE) / len(mus)
    return resolved


def _worth_at(loss: Floats, sd: Floats, correlation: Floats) -> Floats:
    n, m = loss.shape
    here = np.arange(n)
    order = np.argsort(loss, axis=1, kind="stable")
    best, second = order[:, 0], order[:, min(1, m - 1)]
    rival = np.repeat(best[:, None], m, axis=1)
    rival[here, best] = second
    gap = np.abs(loss - loss[here[:, None], rival])
    own, other = sd, sd[here[:, None], rival]
    shared = correlation[None, :] * correlation[rival]
    spread = np.sqrt(np.maximum(own**2 + other**2 - 2.0 * shared * own * other, LEAST_SD**2))
    return spread * expected_excess(gap / spread)


def expected_excess(gap: Floats) -> Floats:
    """E[max(0, Z - gap)] of a standard normal Z."""
    density = np.exp(-0.5 * gap**2) / math.sqrt(2.0 * math.pi)
    excess: Floats = density - gap * upper_tail(gap)
    return np.maximum(excess, 0.0)


def upper_tail(z: Floats) -> Floats:
    """P(Z > z) of a standard normal Z."""
    tail: Floats = np.vectorize(math.erfc, otypes=[np.float64])(z / math.sqrt(2.0)) / 2.0
    return tail
