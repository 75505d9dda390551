"""What routers save on one field, against the reference, beside single candidates and blind mixtures of them.

Everything is resampled together, prompt by prompt, so that differences are paired. The hull of a router is that of
`tenbin.evaluate` with the reference added, which can always be asked: no quality up to its own is out of reach.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from tenbin.evaluate.comparison import share_of
from tenbin.evaluate.curve import Contender, chosen, swept
from tenbin.evaluate.hull import upper_hull
from tenbin.evaluate.intervals import LEVEL, Columns, Means, interval, resample
from tenbin.evaluate.metrics import Scale, scale_of
from tenbin.evaluate.trial import SINGLES, distinct
from tenbin.pilot.field import Field, Worth
from tenbin.quality.interval import t_quantile
from tenbin.risk import mu_grid
from tenbin.router.router import Router
from tenbin.types import Estimates, Figure, Floats

TARGETS = (1.0, 0.99, 0.97, 0.95)
"""Shares of the reference's quality at which savings are read."""
KEPT = 0.97
"""The share that the pace, the payback and the verdict are about."""
POINTS = 101
ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Single:
    """One candidate asked for everything: its own means, and against the reference on the same prompts."""

    model: str
    quality: Figure
    cost_usd: Figure
    quality_ratio: Figure
    saving: Figure


@dataclass(frozen=True, slots=True)
class PilotSaving:
    """The least cost of `ratio` of the reference's quality: by the router, and by mixing candidates blindly.

    `saving` and `blind_saving` are shares of the reference's cost, `beyond` is their difference: what reading the
    prompts adds. `saved_usd` is dollars per query.
    """

    ratio: float
    cost_usd: Figure
    saving: Figure
    blind_saving: Figure
    beyond: Figure
    saved_usd: Figure


@dataclass(frozen=True, slots=True)
class Measured:
    """Routers on one field, each on the sample (row 0) and on the same resamples: shares of the reference's cost.

    `cost_share[k][ratio]` and `blind_share[ratio]` are [1 + R].
    """

    means: Means
    cost_share: tuple[dict[float, Floats], ...]
    blind_share: dict[float, Floats]
    reference_usd: Floats


def contender_of(router: Router, estimates: Estimates, field: Field) -> Contender:
    """The router's choices on the field along its dial."""
    cost = router.cost_usd(estimates)
    return swept("router", "", estimates, cost, router.models, router.anchors, mu_grid(POINTS), field.weight)


def measure(contenders: Sequence[Contender], field: Field, worth: Worth, *, resamples: int, seed: int) -> Measured:
    """Resample the field and read every contender's hull at every target."""
    columns = Columns(len(field))
    columns.add(f"{SINGLES} quality", worth.quality)
    columns.add(f"{SINGLES} cost", worth.cost_usd)
    for k, contender in enumerate(contenders):
        choices = contender.choices[distinct(contender.choices)]
        columns.add(f"{k} quality", chosen(worth.quality, choices).T)
        columns.add(f"{k} cost", chosen(worth.cost_usd, choices).T)
    cluster = np.arange(len(field))
    means = resample(columns, field.weight, cluster, resamples=resamples, seed=seed)
    quality, cost = means.of(f"{SINGLES} quality"), means.of(f"{SINGLES} cost")
    scales = [scale_of(q, c) for q, c in zip(quality, cost, strict=True)]
    reference = field.reference
    blind = [scale.zero.cost_at for scale in scales]
    return Measured(
        means=means,
        cost_share=tuple(_shares(means, k, scales, reference) for k in range(len(contenders))),
        blind_share={
            ratio: share_of(
                np.array([at(ratio * q) for at, q in zip(blind, quality[:, reference], strict=True)]),
                cost[:, reference],
            )
            for ratio in TARGETS
        },
        reference_usd=cost[:, reference],
    )


def _shares(means: Means, k: int, scales: Sequence[Scale], reference: int) -> dict[float, Floats]:
    """Least cost at every target as a share of the reference's, [1 + R]."""
    quality, cost = means.of(f"{k} quality"), means.of(f"{k} cost")
    found = {ratio: np.empty(len(scales)) for ratio in TARGETS}
    for r, scale in enumerate(scales):
        anchors = [scale.cheapest, reference]
        hull = upper_hull(
            [*cost[r].tolist(), *scale.cost_usd[anchors].tolist()],
            [*quality[r].tolist(), *scale.quality[anchors].tolist()],
        )
        for ratio in TARGETS:
            wanted, whole = ratio * float(scale.quality[reference]), float(scale.cost_usd[reference])
            found[ratio][r] = hull.cost_at(wanted) / whole if whole > 0.0 else math.nan
    return found


def savings_of(measured: Measured, n: int) -> tuple[PilotSaving, ...]:
    """The table of savings of the last contender, on a field of n prompts."""
    mine = measured.cost_share[-1]
    return tuple(
        PilotSaving(
            ratio=ratio,
            cost_usd=widened(interval(mine[ratio] * measured.reference_usd), n),
            saving=widened(interval(1.0 - mine[ratio]), n, most=1.0),
            blind_saving=widened(interval(1.0 - measured.blind_share[ratio]), n, most=1.0),
            beyond=widened(interval(measured.blind_share[ratio] - mine[ratio]), n),
            saved_usd=widened(interval((1.0 - mine[ratio]) * measured.reference_usd), n),
        )
        for ratio in TARGETS
    )


def singles_of(measured: Measured, field: Field) -> tuple[Single, ...]:
    """One row per candidate in play, in the order of the field."""
    quality, cost = measured.means.of(f"{SINGLES} quality"), measured.means.of(f"{SINGLES} cost")
    n, ref = len(field), field.reference
    ratio, share = share_of(quality, quality[:, [ref]]), share_of(cost, cost[:, [ref]])
    return tuple(
        Single(
            model=model,
            quality=widened(with_doubt(interval(quality[:, m]), n), n, least=0.0, most=1.0),
            cost_usd=widened(interval(cost[:, m]), n, least=0.0),
            quality_ratio=widened(
                interval(ratio[:, m]) if m == ref else with_doubt(interval(ratio[:, m]), n), n, least=0.0
            ),
            saving=widened(interval(1.0 - share[:, m]), n, most=1.0),
        )
        for m, model in enumerate(field.panel.models)
    )


def with_doubt(figure: Figure, n: int) -> Figure:
    """The figure, with that of two outcomes more of either kind where all n, and so all resamples, came out 0 or 1.

    Fifty right answers of fifty are no proof of all (Agresti and Coull, The American Statistician 52:2, 1998).
    """
    if figure.width > ALIKE or ALIKE < figure.value < 1.0 - ALIKE:
        return figure
    share = 2.0 / (n + 4.0)
    reach = NormalDist().inv_cdf(0.5 + LEVEL / 2.0) * math.sqrt(share * (1.0 - share) / (n + 4.0))
    return replace(figure, low=figure.value - reach, high=figure.value + reach)


def at_target(savings: Sequence[PilotSaving]) -> PilotSaving | None:
    """The saving at the target; None where none was measured."""
    return next((saving for saving in savings if saving.ratio == KEPT), None)


def single_of(singles: Sequence[Single], model: str | None) -> Single | None:
    """The row of one candidate in play; None where it is not."""
    return next((single for single in singles if single.model == model), None)


def widened(figure: Figure, n: int, *, least: float = -math.inf, most: float = math.inf) -> Figure:
    """The figure with its interval drawn out for a sample of n: percentile intervals of few prompts are too short.

    By sqrt(n / (n - 1)) for the bootstrap's own spread and by Student's t over the normal quantile, n - 1 degrees of
    freedom; an end stays within [least, most] (Hesterberg, The American Statistician 69:4, 2015, section 3).
    """
    if n < 3:
        return Figure(figure.value, math.nan, math.nan)
    factor = math.sqrt(n / (n - 1.0)) * t_quantile(0.5 + LEVEL / 2.0, n - 1) / NormalDist().inv_cdf(0.5 + LEVEL / 2.0)
    low = figure.value - factor * (figure.value - figure.low)
    high = figure.value + factor * (figure.high - figure.value)
    return replace(figure, low=max(low, least) if math.isfinite(low) else low, high=min(high, most))
