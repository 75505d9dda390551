"""How sure the saving is: what one prompt adds to its uncertainty, and the width of its interval to come.

The saving is 1 - C / C_ref, C being the mean dollars at the trade-off that keeps the promised quality. A sample errs in
C itself, in C_ref, and in where the promise is met; to first order all three are means over prompts (the influence
function), so the interval is as wide as their standard deviation over the root of the number of prompts.
"""

from __future__ import annotations

import math

import numpy as np

from tenbin.evaluate.hull import upper_hull
from tenbin.risk import choose, losses, name_order
from tenbin.router.crossfit import DialCurve, doubly_robust
from tenbin.router.router import Router
from tenbin.types import NORMAL_95, Floats, TradeOff

PRIOR_SD = 3.0
"""Of one prompt, before any answer. Measured ones lie between .5 and 6: the dearer the last points of quality, the more
the error of quality blurs the dollars."""
NEARBY = 0.02
"""Shares of the promised quality between which the curve's slope is taken, and at which trade-offs matter, too."""
LARGEST_MU = 0.999


def expected_width(sd: float, n: int) -> float:
    """The width of the 95 % interval of the saving from n prompts; 1, the whole range, where nothing is known."""
    return min(2.0 * NORMAL_95 * sd / math.sqrt(max(n, 1)), 1.0)


def trade_offs_near(router: Router, promise: float) -> Floats:
    """The trade-offs [3] at which the profile may end: those that keep a little less, just, and a little more."""
    curve = router.dial_curve()
    wanted = (promise - NEARBY, promise, promise + NEARBY)
    return np.minimum(curve.mu[[cheapest_keeping(curve, share) for share in wanted]], LARGEST_MU)


def cheapest_keeping(curve: DialCurve, share: float) -> int:
    """The place on the curve of least cost that keeps this share of the reference's quality, or the most there is."""
    target = min(share * curve.reference_quality, float(curve.quality.max()))
    return int(np.argmin(np.where(curve.quality >= target - 1e-12, curve.cost_usd, np.inf)))


def saving_sd_of(router: Router, promise: float) -> float:
    """The standard deviation over prompts of what each adds to the saving at the promise, from out-of-fold rows.

    The promise is met on the hull of the curve, between two settings of the dial: where prompts say nothing, these ask
    one candidate each, and what is uncertain is how many prompts the dearer of the two needs.
    """
    crossfit, curve = router.crossfit, router.dial_curve()
    predicted = router.cost_usd(crossfit.estimates)
    dollars = doubly_robust(predicted, router.observed_cost_usd(), crossfit.observed.weight)
    here, order = np.arange(len(predicted)), name_order(router.models)
    reference = router.models.index(router.anchors.reference)
    quality = crossfit.quality_values()
    cost, kept, cost_ref = np.zeros(len(here)), -promise * quality[:, reference], dollars[:, reference]
    estimates = crossfit.estimates
    for place, part in mix_keeping(curve, promise):
        dial = TradeOff(float(curve.mu[place]))
        loss = losses(estimates.quality, predicted, estimates.latency_s, dial, router.anchors)
        chosen = choose(loss, predicted, order)
        cost, kept = cost + part * dollars[here, chosen], kept + part * quality[here, chosen]
    mean_ref = float(cost_ref.mean())
    if mean_ref <= 0.0:
        return PRIOR_SD
    share = float(cost.mean()) / mean_ref
    influence = cost - share * cost_ref - _slope(curve, promise) * kept
    return float(influence.std()) / mean_ref


def mix_keeping(curve: DialCurve, share: float) -> list[tuple[int, float]]:
    """The settings on the hull of the curve between which it keeps this share, and the part of each."""
    hull = upper_hull(curve.cost_usd, curve.quality)
    target = min(share * curve.reference_quality, hull.quality[-1])
    above = int(np.searchsorted(hull.quality, target))

    def place(k: int) -> int:
        return int(np.flatnonzero((curve.cost_usd == hull.cost_usd[k]) & (curve.quality == hull.quality[k]))[0])

    if above == 0:
        return [(place(0), 1.0)]
    low, high = hull.quality[above - 1], hull.quality[above]
    part = (target - low) / (high - low)
    return [(place(above - 1), 1.0 - part), (place(above), part)]


def _slope(curve: DialCurve, promise: float) -> float:
    """Dollars per unit of quality around the promise, along the hull of the curve: single points jump."""
    hull = upper_hull(curve.cost_usd, curve.quality)
    peak = hull.quality[-1]
    high = min((promise + NEARBY) * curve.reference_quality, peak)
    low = min((promise - NEARBY) * curve.reference_quality, peak - NEARBY * curve.reference_quality)
    return (hull.cost_at(high) - hull.cost_at(low)) / (high - low) if high > low else 0.0
