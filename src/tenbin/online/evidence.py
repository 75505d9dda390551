"""Whether a new candidate helps: the routed curve with it minus the curve without it, and how certain that is.

Both curves are decided by the router's out-of-fold estimates on the same training rows, and paid there with what was
observed. Only the newcomer's own quality is not known there: it is drawn from its posterior, so that every draw gives
one possible gain in AIQ-log, paired on rows and prices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.evaluate.curve import PLAIN
from tenbin.evaluate.hull import Hull
from tenbin.evaluate.metrics import curve_hull, scale_of
from tenbin.online.newcomer import Newcomer
from tenbin.risk import Anchors, mu_grid
from tenbin.router.sweep import Sweep
from tenbin.types import Estimates, Floats, Ints

POINTS = 101
DRAWS = 400
MOST_ROWS = 8_000
TAIL = 0.05
LEAST_GAIN = 0.001
"""Less than that is not worth a candidate more."""
WEIGHT_OF_LOSS = 0.7
"""How much of what would be lost at the lower end of the interval the rest of the gain must outweigh."""
LEAST_CLAIM = 0.95
"""How certain it must be that a newcomer beats the best known candidate for less: all dearer ones would be given up."""


@dataclass(frozen=True, slots=True)
class NewcomerEvidence:
    """Expected gain in AIQ-log, its 90 % credible interval, and the probability that it is above zero.

    A newcomer is taken in where the gain is at least `least_gain`: .001, and .7 of what would be lost at the lower end
    of the interval. What can do no harm passes on its mean, what may do harm needs to be at least 75 % certain.
    `share` is the largest share of prompts that the newcomer is given anywhere along the dial. `claim` is the
    probability that its mean quality is above that of the best known candidate, where it is expected to be, for fewer
    dollars (else None): that must be .95, since all dearer ones would be given up for it.
    """

    gain: float
    low: float
    high: float
    certainty: float
    share: float
    claim: float | None = None

    @property
    def least_gain(self) -> float:
        """The gain that must be expected for the newcomer to be taken in."""
        return LEAST_GAIN + WEIGHT_OF_LOSS * max(-self.low, 0.0)

    @property
    def suffices(self) -> bool:
        """Whether the newcomer is to be taken in."""
        return self.gain >= self.least_gain and (self.claim is None or self.claim >= LEAST_CLAIM)


@dataclass(frozen=True, slots=True)
class Ground:
    """Training rows on which two pools are compared, the newcomer being the last of M + 1 candidates.

    `estimated` and `estimated_usd` [n, M + 1] decide; `quality` and `cost_usd` [n, M] pay the known candidates,
    `cost_usd_of_new` [n] and `quality_of_new` [n, 1 + K] times a draw of (mean, loadings) the newcomer.
    """

    models: tuple[str, ...]
    anchors: Anchors
    estimated: Floats
    estimated_usd: Floats
    quality: Floats
    cost_usd: Floats
    quality_of_new: Floats
    cost_usd_of_new: Floats

    def thinned(self) -> Ground:
        """At most `MOST_ROWS` evenly spaced rows."""
        step = max(1, -(-len(self.quality) // MOST_ROWS))
        rows = {name: getattr(self, name)[::step] for name in Ground.__slots__ if name not in ("models", "anchors")}
        return Ground(self.models, self.anchors, **rows)


def evidence_of(ground: Ground, newcomer: Newcomer, seed: int) -> NewcomerEvidence:
    """The gain that the newcomer promises on these rows, over the draws of its posterior."""
    ground = ground.thinned()
    mus, m = mu_grid(POINTS), ground.quality.shape[1]
    before, after = _choices(ground, mus, m), _choices(ground, mus, m + 1)
    own = after == m
    if not own.any():
        return NewcomerEvidence(0.0, 0.0, 0.0, 0.0, 0.0)
    quality, cost = _paid(ground, before)
    others, spent = _paid(ground, np.where(own, 0, after), ~own)
    spent = spent + own @ ground.cost_usd_of_new / len(ground.quality)
    of_new = own @ ground.quality_of_new / len(ground.quality)
    draws = newcomer.draws(DRAWS, np.random.default_rng(seed))
    means, dollars = ground.quality.mean(axis=0), ground.cost_usd.mean(axis=0)
    old_scale, price = scale_of(means, dollars), float(ground.cost_usd_of_new.mean())
    old_hull = _from_nothing(curve_hull(cost, quality, old_scale))
    gains = np.empty(len(draws))
    for i, draw in enumerate(draws):
        level = float(ground.quality_of_new.mean(axis=0) @ draw)
        scale = scale_of(np.append(means, level), np.append(dollars, price))
        hull = _from_nothing(curve_hull(spent, others + of_new @ draw, scale))
        # A newcomer that beats all dearer ones must not make the range of the comparison a point.
        low, high = scale.low_usd, max(scale.high_usd, old_scale.high_usd)
        gains[i] = hull.mean_height_log(low, high) - old_hull.mean_height_log(low, high)
    return NewcomerEvidence(
        gain=float(gains.mean()),
        low=float(np.quantile(gains, TAIL)),
        high=float(np.quantile(gains, 1.0 - TAIL)),
        certainty=float((gains > 0.0).mean()),
        share=float(own.mean(axis=1).max()),
        claim=_claim(means, dollars, draws @ ground.quality_of_new.mean(axis=0), price),
    )


def _claim(means: Floats, dollars: Floats, levels: Floats, price: float) -> float | None:
    """See `NewcomerEvidence.claim`; `levels` are draws of the newcomer's mean quality, `price` its mean dollars."""
    best = int(means.argmax())
    if price >= dollars[best] or levels.mean() <= means[best]:
        return None
    return float((levels > means[best]).mean())


def _from_nothing(hull: Hull) -> Hull:
    """The hull with what costs less than its cheapest candidate: that one for a share of the prompts, else no answer.

    Flat to the left, it would be credited with answers at prices that nobody of the pool has: a newcomer cheaper than
    all could only lose.
    """
    if hull.cost_usd[0] <= 0.0:
        return hull
    return Hull((0.0, *hull.cost_usd), (0.0, *hull.quality))


def _choices(ground: Ground, mus: Floats, m: int) -> Ints:
    """What the rule chooses [k, n] of the first m candidates at every mu."""
    estimates, cost = Estimates.of_quality(ground.estimated[:, :m]), ground.estimated_usd[:, :m]
    everyone = np.ones(m, dtype=np.bool_)
    return Sweep.of(estimates, cost, ground.models[:m], ground.anchors, PLAIN, everyone).choices(mus).astype(np.int64)


def _paid(ground: Ground, choices: Ints, counted: Floats | None = None) -> tuple[Floats, Floats]:
    """Mean quality and dollars [k] of the known candidates' answers at `choices` [k, n], where `counted`."""
    rows = np.arange(choices.shape[1])
    got = (cells[rows, choices] for cells in (ground.quality, ground.cost_usd))
    quality, cost = (cells.mean(axis=1) if counted is None else (cells * counted).mean(axis=1) for cells in got)
    return quality, cost
