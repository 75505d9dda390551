"""The oracle without lucky guesses: what a router that knew every prompt would reach, were labels free of noise.

The best of several noisy labels is better than the best of what they measure, because luck is chosen along with skill.
So the labels are first given the spread that they would have without noise. With labels y of mean m and covariance S
over candidates, and noise of variance D (independent between candidates, as answers are), what they measure has the
covariance S - D; and

    q = m + (S - D)^(1/2) S^(-1/2) (y - m)

has just that, too: neither the spread of the labels, from which a maximum would be too large, nor that of their
posterior means, from which it would be too small (Louis, JASA 79:386, 1984; Ghosh, JASA 87:533, 1992). A covariance of
many candidates on few prompts has directions that stand out by luck alone, so S is drawn to one that treats candidates
alike, as far as its own error bears (Ledoit and Wolf, J. Multivariate Analysis 88:365, 2004). In made worlds this takes
out at least four fifths of the luck (tests/evaluate/test_oracle.py); what is left leans upward.
"""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.curve import PLAIN, chosen
from tenbin.evaluate.intervals import interval
from tenbin.evaluate.metrics import curve_hull, scale_of
from tenbin.evaluate.trial import Ground
from tenbin.risk import Anchors, mu_grid
from tenbin.router.sweep import Sweep
from tenbin.types import UNKNOWN, Estimates, Figure, Floats

POINTS = 41
RESAMPLES = 100
TINY = 1e-12


def noise_free(labels: Floats, noise_variance: Floats, weight: Floats | None = None) -> Floats:
    """Qualities [n, M] with the mean of the labels [n, M] and the spread that they have beyond `noise_variance` [M].

    Complete labels, at least two rows; `weight` [n] as in evaluations (None: all alike). Values may leave [0, 1] a
    little: they have the right spread, not the shape.
    """
    share = _share(labels, weight)
    mean = share @ labels
    off = labels - mean
    covariance = _covariance(off, noise_variance, share)
    turned = _power(covariance - np.diag(noise_variance), 0.5) @ _power(covariance, -0.5)
    free: Floats = mean + off @ turned.T
    return free


def head_room(
    labels: Floats, cost_usd: Floats, noise_variance: Floats, reference: int, weight: Floats | None = None
) -> float:
    """Mean quality by which the noise-free oracle stands above the zero router at the same cost (a difference in AIQ).

    `labels` and `cost_usd` [n, M] are complete; `reference` is the column whose mean dollars scale the rule.
    """
    share = _share(labels, weight)
    quality = noise_free(labels, noise_variance, weight)
    c_ref = float(share @ cost_usd[:, reference])
    names = tuple(str(m) for m in range(labels.shape[1]))
    anchors = Anchors(names[reference], c_ref if c_ref > 0.0 else 1.0, np.nan)
    everyone = np.ones(labels.shape[1], dtype=np.bool_)
    swept = Sweep.of(Estimates.of_quality(quality), cost_usd, names, anchors, PLAIN, everyone)
    choices = swept.choices(mu_grid(POINTS))
    scale = scale_of(share @ labels, share @ cost_usd)
    reached = [(chosen(cells, choices) @ share).tolist() for cells in (cost_usd, quality)]
    hull = curve_hull(reached[0], reached[1], scale)
    low, high = scale.low_usd, scale.high_usd
    return hull.mean_height(low, high) - scale.zero.mean_height(low, high)


def measured_head_room(ground: Ground, noise_variance: Floats, reference: int, *, seed: int) -> Figure:
    """The head room on complete rows with its interval over clusters; NaN where a candidate's noise is not known."""
    if np.isnan(noise_variance).any() or len(ground.quality) < 2:
        return UNKNOWN
    rng, n = np.random.default_rng(seed), int(ground.cluster.max()) + 1
    order = np.argsort(ground.cluster, kind="stable")
    members = np.split(order, np.searchsorted(ground.cluster[order], np.arange(1, n)))
    draws = [np.arange(len(ground.quality))]
    draws += [np.concatenate([members[c] for c in rng.integers(0, n, n)]) for _ in range(RESAMPLES)]
    rooms = [
        head_room(ground.quality[at], ground.cost_usd[at], noise_variance, reference, ground.weight[at]) for at in draws
    ]
    return interval(np.array(rooms))


def _share(labels: Floats, weight: Floats | None) -> Floats:
    """The weight [n] of every row, summing to 1."""
    share: Floats = np.full(len(labels), 1.0 / len(labels)) if weight is None else weight / weight.sum()
    return share


def _covariance(off: Floats, noise_variance: Floats, share: Floats) -> Floats:
    """The covariance of centred labels, drawn to one spread and one correlation of what all candidates' labels measure.

    How far: by the sampling variance of its entries over their squared distance from that target.
    """
    m, n = off.shape[1], 1.0 / float(share @ share)
    own: Floats = (off * share[:, None]).T @ off * (n / max(n - 1.0, 1.0))
    if m == 1:
        return own
    alike = np.full((m, m), (own.sum() - np.trace(own)) / (m * (m - 1)))
    np.fill_diagonal(alike, max(float((np.diag(own) - noise_variance).mean()), 0.0) + noise_variance)
    distance = float(((own - alike) ** 2).sum())
    error = float(((off**2 * share[:, None]).T @ (off**2) - own**2).sum()) / n
    drawn = min(max(error, 0.0) / distance, 1.0) if distance > TINY else 1.0
    covariance: Floats = (1.0 - drawn) * own + drawn * alike
    return covariance


def _power(matrix: Floats, power: float) -> Floats:
    """A power of a symmetric matrix; directions without spread, or with less than none, are left out."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > TINY
    raised = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    powered: Floats = (vectors * raised) @ vectors.T
    return powered
