"""From the trial's resampled means to the tables of an evaluation: curves, figures, differences, savings."""

from __future__ import annotations

import math

import numpy as np

from tenbin.evaluate.curve import Contender, chosen
from tenbin.evaluate.intervals import (
    Means,
    amount_interval,
    either_way,
    interval,
    quality_interval,
    standard_error,
    within,
)
from tenbin.evaluate.metrics import FIGURES, RATIOS, arena_score, curve_hull
from tenbin.evaluate.prospects import Prospects, outcomes_seen
from tenbin.evaluate.result import ROUTER, Curve, CurvePoint, Difference, NoHarm, Saving, SingleModel, Summary
from tenbin.evaluate.training import Tails
from tenbin.evaluate.trial import CHEAPEST, SINGLES, Ground, Trial, place
from tenbin.types import Choices, Figure, Floats, Ints

ZERO_TEST = "z_test"
ZERO_TRAIN = "z_train"
COST_FIGURES = ("qnc", "cost_at_99", "cost_at_97", "cost_at_95")
"""The figures of `RATIOS`, in its order."""
SHOWN = 101
"""So many points of a curve are told one by one; its hull and all figures rest on all of them."""


def singles_of(
    trial: Trial, models: tuple[str, ...], label_share: Floats, variance_share: float
) -> tuple[SingleModel, ...]:
    """One row per model; `label_share` [M] is the share of unseen test queries whose quality is known.

    `variance_share` is how much of one query's variance a mean bears (`Ground`).
    """
    quality, cost = trial.means.of(f"{SINGLES} quality"), trial.means.of(f"{SINGLES} cost")
    latency = trial.means.gappy(f"{SINGLES} latency")
    zero = trial.scales[0].zero
    vertices = set(zip(zero.cost_usd, zero.quality, strict=True))
    return tuple(
        SingleModel(
            model=model,
            quality=quality_interval(quality[:, m], variance_share=variance_share),
            cost_usd=amount_interval(cost[:, m]),
            latency_s=amount_interval(latency[:, m]),
            label_share=float(label_share[m]),
            arena_score=arena_score(float(quality[0, m]), float(cost[0, m])),
            on_hull=(float(cost[0, m]), float(quality[0, m])) in vertices,
        )
        for m, model in enumerate(models)
    )


def shown_of(contender: Contender) -> Ints:
    """Which settings of a contender, all along its dial, are told one by one."""
    settings = len(contender.mus)
    return np.linspace(0, settings - 1, min(settings, SHOWN)).round().astype(np.int64)


def curve_of(
    trial: Trial,
    contender: Contender,
    ground: Ground,
    reference: int,
    prospects: Prospects,
    tails: Tails | None = None,
) -> Curve:
    """Points all along a contender's dial with intervals, and the hull of the sample; the last two are of `shown_of`.

    Held against the reference (an index), which training chose: which model is best on these queries is in part luck.
    """
    quality, cost = trial.means.of(f"{contender.name} quality"), trial.means.of(f"{contender.name} cost")
    shown = shown_of(contender)
    choices, where = contender.choices[shown], place(contender.choices)[shown]
    tails = tails or Tails.none(len(shown))
    kept = kept_of(trial.means, contender.name, choices, where, ground, reference, prospects, tail=tails.share)
    tail = tails.dollars * trial.means.of(f"{SINGLES} cost")[0, reference]
    shares = shares_of(choices, ground)
    hull = curve_hull(cost[0].tolist(), quality[0].tolist(), trial.scales[0])
    points = tuple(
        CurvePoint(
            mu=float(contender.mus[k]),
            label=contender.labels[k],
            quality=quality_interval(quality[:, where[i]], variance_share=ground.variance_share),
            cost_usd=amount_interval(cost[:, where[i]], tail=tail[i]),
            latency_s=mean_latency(ground, choices[i]),
            shares=tuple(shares[i].tolist()),
            predicted_quality=float(contender.predicted_quality[k]),
            predicted_cost_usd=float(contender.predicted_cost_usd[k]),
            quality_ratio=kept[i][0],
            saving=kept[i][1],
        )
        for i, k in enumerate(shown.tolist())
    )
    return Curve(
        name=contender.name,
        title=contender.title,
        deployable=contender.deployable,
        points=points,
        hull=tuple(zip(hull.cost_usd, hull.quality, strict=True)),
    )


def kept_of(
    means: Means,
    name: str,
    choices: Choices,
    where: Ints,
    ground: Ground,
    model: int,
    prospects: Prospects,
    *,
    unsure: Floats | float = 0.0,
    tail: Floats | float = 0.0,
) -> tuple[tuple[Figure, Figure], ...]:
    """Per setting its share of one model's quality, and the share of that model's cost that it saves.

    `where` [K] are the columns of the settings' `choices` [K, n] among the means of that name; `model` is an index;
    `unsure` [K] is a standard deviation of the differences in quality that is no luck of the queries; `tail` [K] is the
    least arm of the cost's share on one side (`Training.tails`). No cost is below what the cheapest answers would,
    whatever the intervals lend.
    """
    usual = ground, choices, model
    quality, whole = means.of(f"{name} quality")[:, where], means.of(f"{SINGLES} quality")[:, model]
    expected, seen = share_of(prospects.quality_sd(*usual), whole[:1]), outcomes_seen(*usual)
    doubt = share_of(np.broadcast_to(unsure, len(where)), whole[:1])
    ratios = [
        either_way(share_of(quality[:, k], whole), doubt[k], expected_sd=expected[k], seen=seen[k])
        for k in range(len(where))
    ]

    cost, whole = means.of(f"{name} cost")[:, where], means.of(f"{SINGLES} cost")[:, model]
    lent, tails = share_of(prospects.dollars_sd(*usual), whole[:1]), np.broadcast_to(tail, len(where))
    least = interval(share_of(means.of(CHEAPEST)[:, 0], whole)).low
    costs = [
        within(amount_interval(share_of(cost[:, k], whole), lent[k], tail=tails[k]), least) for k in range(len(where))
    ]
    return tuple((ratio, share.flipped) for ratio, share in zip(ratios, costs, strict=True))


def shares_of(choices: Choices, ground: Ground) -> Floats:
    """The weighted share [K, M] of queries that each setting of `choices` [K, n] sends to each model."""
    n_models = ground.quality.shape[1]
    return np.array([np.bincount(row, weights=ground.share, minlength=n_models) for row in choices])


def mean_latency(ground: Ground, choice: Choices) -> float:
    """Mean seconds of `choice` [n] over the queries where they are known; NaN where none is."""
    seconds = chosen(ground.latency_s, choice[None, :])[0]
    known = ~np.isnan(seconds)
    if not known.any():
        return math.nan
    return float(np.average(seconds[known], weights=ground.weight[known]))


def summary_of(trial: Trial, name: str) -> Summary:
    """The figures of one contender with intervals."""
    return Summary(name, **{figure: _possible(figure, interval(trial.column(name, figure))) for figure in FIGURES})


def difference_of(trial: Trial, baseline: str) -> Difference:
    """The router minus one baseline, paired over resamples."""
    apart = {figure: _minus(trial, figure, baseline) for figure in FIGURES}
    return Difference(
        baseline=baseline,
        aiq=interval(apart["aiq"]),
        aiq_log=interval(apart["aiq_log"]),
        qnc=interval(apart["qnc"]),
        cost_at_97=interval(apart["cost_at_97"]),
        peak_quality=interval(apart["peak_quality"]),
        aiq_se=standard_error(apart["aiq"]),
        aiq_log_se=standard_error(apart["aiq_log"]),
    )


def savings_of(trial: Trial) -> tuple[Saving, ...]:
    """Savings at 100, 99, 97 and 95 % of the best single model's quality."""
    best_cost = np.array([scale.best_cost_usd for scale in trial.scales])
    return tuple(
        Saving(
            ratio=ratio,
            quality=ratio * trial.scales[0].best_quality,
            cost_usd=within(interval(trial.column(ROUTER, figure) * best_cost), 0.0),
            saving=within(interval(trial.column(ROUTER, figure)), 0.0).flipped,
            zero_saving=within(interval(trial.column(ZERO_TEST, figure)), 0.0).flipped,
        )
        for ratio, figure in zip(RATIOS, COST_FIGURES, strict=True)
    )


def no_harm_of(difference: Difference) -> NoHarm:
    """The no-harm rule from the difference to z_train: both AIQs within one standard error below, or above."""
    kept = difference.aiq.value >= -_or_zero(difference.aiq_se)
    kept_log = difference.aiq_log.value >= -_or_zero(difference.aiq_log_se)
    return NoHarm(difference.aiq, difference.aiq_log, difference.aiq_se, difference.aiq_log_se, bool(kept and kept_log))


def share_of(part: Floats, whole: Floats) -> Floats:
    """The part as a share of the whole; NaN where that is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.where(whole > 0.0, part / whole, np.nan)
    return share


def _possible(name: str, figure: Figure) -> Figure:
    """A figure of a curve inside its range: mean qualities up to 1, shares of a cost from 0, APGR as it comes."""
    if name == "apgr":
        return figure
    return within(figure, 0.0, math.inf if name in COST_FIGURES else 1.0)


def _minus(trial: Trial, figure: str, baseline: str) -> Floats:
    """Router minus baseline [1 + R]; a cost that is not reached counts as infinite on either side."""
    mine, other = trial.column(ROUTER, figure), trial.column(baseline, figure)
    if figure not in COST_FIGURES:
        return mine - other
    with np.errstate(invalid="ignore"):
        apart: Floats = np.where(np.isnan(mine), np.inf, mine) - np.where(np.isnan(other), np.inf, other)
    return apart


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
