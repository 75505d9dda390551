"""What out-of-fold estimates would have decided on the training rows: the honest ground for every dial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.risk import Anchors, mu_grid
from tenbin.router.sweep import Sweep
from tenbin.types import ESTIMATED, Bools, Estimates, Floats, Ints, TradeOff

DIAL_POINTS = 401


@dataclass(frozen=True, slots=True)
class Observed:
    """What was measured on the training rows, [n, M] each, NaN where it was not; `weight` is 1 / label propensity."""

    quality: Floats
    input_tokens: Floats
    output_tokens: Floats
    cost_usd: Floats
    latency_s: Floats
    weight: Floats


def column_means(target: Floats, weight: Floats) -> Floats:
    """Weighted mean [M] of the known cells of every column; NaN for a column without any."""
    known = ~np.isnan(target)
    total = (weight * known).sum(axis=0)
    summed = (np.where(known, target, 0.0) * weight).sum(axis=0)
    return np.where(total > 0.0, summed / np.where(total > 0.0, total, 1.0), np.nan)


def doubly_robust(estimate: Floats, observed: Floats, weight: Floats) -> Floats:
    """What was observed [n, M] where all of it is known, else estimate + weight x (observed - estimate).

    The weights are those of `standing`.
    """
    known = ~np.isnan(observed)
    if known.all():
        return observed
    return np.where(known, estimate + standing(known, weight) * (np.where(known, observed, 0.0) - estimate), estimate)


def standing(known: Bools, weight: Floats) -> Floats:
    """How many cells [n, M] each known one stands for: its `weight`, but a column's for no more than it has.

    Where the rows that were not drawn are not in the table, or what was measured does not hang on labels, the weights
    add up to more cells than there are, and errors of the estimates would be multiplied by the rest.
    """
    stood = (weight * known).sum(axis=0)
    share: Floats = weight * np.minimum(len(known) / np.where(stood > 0.0, stood, 1.0), 1.0)
    return share


def known_means(observed: Floats, estimated: Floats, weight: Floats) -> Floats:
    """Weighted mean [M] of the measured cells of every column; that of the estimates for a column without any."""
    means = column_means(observed, weight)
    return np.where(np.isnan(means), estimated.mean(axis=0), means)


@dataclass(frozen=True, slots=True)
class Crossfit:
    """Out-of-fold estimates of the training rows beside what was observed there; no prompts."""

    estimates: Estimates
    observed: Observed

    def quality_values(self) -> Floats:
        """Doubly robust quality [n, M] of giving each query to each candidate.

        The observed quality where every cell is labelled (rows then count by `row_weight`); else estimate + weight x
        (observed - estimate), whose mean is unbiased for any rule when label propensities are right (Dudik et al.,
        arXiv 1103.4601).
        """
        return doubly_robust(self.estimates.quality, self.observed.quality, self.observed.weight)

    def row_weight(self) -> Floats:
        """What each row [n] counts for in means over rows: all alike, as labels make up for the gaps in their column.

        A table without gaps was not drawn cell by cell but row by row: 1 / the probability of its rarest label.
        """
        if np.isnan(self.observed.quality).any():
            return np.ones(len(self.observed.quality))
        rarest: Floats = self.observed.weight.max(axis=1)
        return rarest

    def take(self, rows: Ints) -> Crossfit:
        """The crossfit of some rows, in the order given."""
        return Crossfit(
            self.estimates.take(rows), Observed(*(getattr(self.observed, name)[rows] for name in Observed.__slots__))
        )

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, float32."""
        arrays = {f"estimated_{name}": getattr(self.estimates, name) for name in ESTIMATED}
        if self.estimates.recorded_cost_usd is not None:
            arrays["estimated_recorded_cost_usd"] = self.estimates.recorded_cost_usd
        arrays |= {f"observed_{name}": getattr(self.observed, name) for name in Observed.__slots__}
        return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Crossfit:
        """The crossfit of saved arrays."""
        wide = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
        estimates = Estimates(
            **{name: wide[f"estimated_{name}"] for name in ESTIMATED},
            recorded_cost_usd=wide.get("estimated_recorded_cost_usd"),
        )
        return cls(estimates, Observed(**{name: wide[f"observed_{name}"] for name in Observed.__slots__}))


@dataclass(frozen=True, slots=True)
class DialCurve:
    """Mean quality and dollars per query that the rule reaches out of fold at each mu, and the reference's own."""

    mu: Floats
    quality: Floats
    cost_usd: Floats
    reference_quality: float
    reference_cost_usd: float


def dial_curve(
    crossfit: Crossfit,
    cost_usd: Floats,
    observed_cost_usd: Floats,
    models: tuple[str, ...],
    anchors: Anchors,
    trade_off: TradeOff,
    allowed: Bools,
    points: int = DIAL_POINTS,
) -> DialCurve:
    """Sweep mu over the training rows with out-of-fold estimates, the rest of `trade_off` held.

    `cost_usd` and `observed_cost_usd` [n, M] are predicted and measured dollars at the prices of the moment,
    `allowed` [M] the candidates that may be chosen.
    """
    mus = mu_grid(points)
    values = crossfit.quality_values()
    dollars = doubly_robust(cost_usd, observed_cost_usd, crossfit.observed.weight)
    share = crossfit.row_weight()
    share /= share.sum()
    quality, cost = np.zeros(points), np.zeros(points)
    for rows, choices in Sweep.of(crossfit.estimates, cost_usd, models, anchors, trade_off, allowed).parts(mus):
        here = np.arange(choices.shape[1])
        for k, chosen in enumerate(choices):
            quality[k] += share[rows] @ values[rows][here, chosen]
            cost[k] += share[rows] @ dollars[rows][here, chosen]
    reference = models.index(anchors.reference)
    return DialCurve(
        mu=mus,
        quality=quality,
        cost_usd=cost,
        reference_quality=float(share @ values[:, reference]),
        reference_cost_usd=float(share @ dollars[:, reference]),
    )
