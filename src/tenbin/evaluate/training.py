"""What the training prompts tell an evaluation too small to have seen it: how widely dollars vary at a setting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from tenbin.evaluate.curve import PLAIN
from tenbin.evaluate.subject import Subject
from tenbin.router.sweep import Sweep
from tenbin.types import NORMAL_95, Floats


@dataclass(frozen=True, slots=True)
class Tails:
    """The arms that K intervals have at least, on the side of the long tail: upwards above 0, downwards below 0.

    `dollars` [K] are those of mean dollars, `share` [K] of these as a share of the reference's, both as a share of what
    the reference costs.
    """

    dollars: Floats
    share: Floats

    @classmethod
    def none(cls, settings: int) -> Self:
        """Those of so many settings of which nothing is known."""
        return cls(np.zeros(settings), np.zeros(settings))


@dataclass(frozen=True, slots=True)
class Training:
    """The training rows whose dollars are known for every model, as the dial decides them out of fold.

    `cost_usd` [n, M] is what was paid, `weight` [n] what a row counts for, `reference` an index.
    """

    sweep: Sweep
    cost_usd: Floats
    weight: Floats
    reference: int

    @classmethod
    def of(cls, router: Subject) -> Self:
        """Those of a router at its prices of the moment."""
        crossfit, models, cost = router.crossfit, router.models, router.observed_cost_usd()
        rows = np.flatnonzero(~np.isnan(cost).any(axis=1))
        expected, everyone = router.cost_usd(crossfit.estimates)[rows], np.ones(len(models), dtype=np.bool_)
        return cls(
            sweep=Sweep.of(crossfit.estimates.take(rows), expected, models, router.anchors, PLAIN, everyone),
            cost_usd=cost[rows],
            weight=crossfit.observed.weight[rows].max(axis=1),
            reference=models.index(router.anchors.reference),
        )

    def tails(self, mus: Floats, variance_share: float) -> Tails:
        """The arms at K mus for means that bear so much of one query's variance: 1 / n of n that count alike."""
        tails = Tails.none(len(mus))
        whole = float(self.weight @ self.cost_usd[:, self.reference])
        if not whole > 0.0:
            return tails
        share, at = self.weight / self.weight.sum(), np.arange(len(self.weight))
        relative = self.cost_usd / (whole / self.weight.sum())
        for k, choice in enumerate(self.sweep.choices(mus)):
            own = relative[at, choice]
            mean = float(share @ own)
            tails.dollars[k] = tail_arm(own - mean, share, variance_share)
            tails.share[k] = tail_arm(own - mean * relative[:, self.reference], share, variance_share)
        return tails


def tail_arm(apart: Floats, share: Floats, variance_share: float) -> float:
    """From a mean to where the truth may lie on the side of the tail, 97.5 times in 100; below 0 where that is below.

    `apart` [n] are differences of training rows from their mean, `share` [n] sums to 1. An evaluation that drew few or
    none of a rare kind does not know of it by its own spread. A mean of skewness 6 g lies below its truth by more
    than z - g (z^2 - 1) standard deviations, z the normal quantile, once in 40 (Cornish and Fisher, Revue de l'Institut
    International de Statistique 5, 1938).
    """
    square = apart * apart
    variance = float(share @ square)
    if not variance > 0.0:
        return 0.0
    sixth = float(share @ (square * apart)) / variance**1.5 * math.sqrt(variance_share) / 6.0
    arm = math.sqrt(variance * variance_share) * max(NORMAL_95 - abs(sixth) * (NORMAL_95**2 - 1.0), 0.0)
    return math.copysign(arm, sixth)
