"""How often the dial finds a training prompt dear, and how often it may on traffic of their kind.

A decision is dear where the chosen model is expected to cost at least half of what the reference is expected to cost
for the same query. The share of dear decisions is what a watch can hold traffic against without a single label.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tenbin.policy import listed
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.types import TradeOff

DEAR = 0.5
"""From this share of the reference's expected dollars on a decision is dear."""
TOLERANCE = 0.05
"""Traffic that differs from the training prompts by so little is not worth a word."""
SURE_SE = 2.0
"""Standard errors by which the training prompts may have been cheap by chance."""


@dataclass(frozen=True, slots=True)
class DearCurve:
    """At each of K rising mus the `share` of training prompts whose decision is dear, and the `limit` for traffic.

    The limit adds TOLERANCE, and SURE_SE standard errors of the share, as independent errors add up.
    """

    mu: tuple[float, ...]
    share: tuple[float, ...]
    limit: tuple[float, ...]

    def place(self, mu: float) -> int:
        """The last point that is not beyond this mu: a little dearer than the mu itself, if anything."""
        return bisect_right(self.mu, mu) - 1


def dear_curve(router: Router, trade_off: TradeOff, *, allow: Collection[str] | None = None) -> DearCurve:
    """Decide the training rows out of fold at every mu and today's prices, the rest of `trade_off` held.

    Raises UsageError for a name in `allow` that is no candidate.
    """
    crossfit, models, anchors = router.crossfit, router.models, router.anchors
    cost = router.cost_usd(crossfit.estimates)
    mus = mu_grid(DIAL_POINTS)
    dear = cost >= DEAR * cost[:, [models.index(anchors.reference)]]
    dear &= cost > 0.0
    n, count = len(cost), np.zeros(len(mus))
    allowed = listed(models, allow, None)
    for rows, choices in Sweep.of(crossfit.estimates, cost, models, anchors, trade_off, allowed).parts(mus):
        here = np.arange(choices.shape[1])
        count += [int(dear[rows][here, chosen].sum()) for chosen in choices]
    share = (count / n).tolist()
    return DearCurve(tuple(mus.tolist()), tuple(share), tuple(limit_of(p, n) for p in share))


def is_dear(cost_usd: float, reference_usd: float) -> bool:
    """Whether a decision is dear, by what the chosen model and the reference are expected to cost (NaN: it is not)."""
    return cost_usd >= DEAR * reference_usd and cost_usd > 0.0


def limit_of(share: float, n: int) -> float:
    """The largest share that traffic like `n` training prompts may have, where `share` of those were dear."""
    likely = (share * n + 1.0) / (n + 2.0)
    sure = SURE_SE * math.sqrt(likely * (1.0 - likely) / n)
    return share + math.hypot(TOLERANCE, sure)
