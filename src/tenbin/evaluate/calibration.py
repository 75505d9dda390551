"""Whether what was promised is what happened: quality by reliability, amounts by level, spread and typical error."""

from __future__ import annotations

import math

import numpy as np

from tenbin.evaluate.result import AmountCalibration, Calibration, QualityCalibration, ReliabilityBin
from tenbin.types import Floats

BINS = 10
ALL = ""
"""The row over all models."""
LEAST_VARIANCE = 1e-18
"""What varies less is constant but for rounding, and has no explained share."""
ROUNDING = 1e-12


def calibration_of(
    models: tuple[str, ...],
    weight: Floats,
    quality: tuple[Floats, Floats],
    input_tokens: tuple[Floats, Floats],
    output_tokens: tuple[Floats, Floats],
    cost_usd: tuple[Floats, Floats],
    latency_s: tuple[Floats, Floats],
) -> Calibration:
    """Calibration of every estimate from pairs (predicted, observed), [n, M] each, NaN where either is unknown.

    `weight` [n, M] is 1 / label propensity.
    """
    return Calibration(
        quality=quality_rows(models, weight, *quality),
        input_tokens=amount_rows(models, weight, *input_tokens),
        output_tokens=amount_rows(models, weight, *output_tokens),
        cost_usd=amount_rows(models, weight, *cost_usd),
        latency_s=amount_rows(models, weight, *latency_s),
    )


def quality_rows(
    models: tuple[str, ...], weight: Floats, predicted: Floats, observed: Floats
) -> tuple[QualityCalibration, ...]:
    """One row over all cells (its `r2` is the mean over models), then one per model with any known cell."""
    known = ~(np.isnan(predicted) | np.isnan(observed))
    rows = [
        _quality(model, weight[cells, m], predicted[cells, m], observed[cells, m])
        for m, model in enumerate(models)
        if (cells := known[:, m]).any()
    ]
    if not rows:
        return ()
    pooled = _quality(ALL, weight[known], predicted[known], observed[known], r2=_mean([row.r2 for row in rows]))
    return (pooled, *rows)


def amount_rows(
    models: tuple[str, ...], weight: Floats, predicted: Floats, observed: Floats
) -> tuple[AmountCalibration, ...]:
    """One row over all cells (its `r2_log` is the mean over models), then one per model with any known cell."""
    known = ~(np.isnan(predicted) | np.isnan(observed))
    rows = [
        _amount(model, weight[cells, m], predicted[cells, m], observed[cells, m])
        for m, model in enumerate(models)
        if (cells := known[:, m]).any()
    ]
    if not rows:
        return ()
    pooled = _amount(ALL, weight[known], predicted[known], observed[known], r2=_mean([row.r2_log for row in rows]))
    return (pooled, *rows)


def _binned(weight: Floats, predicted: Floats, observed: Floats) -> list[tuple[ReliabilityBin, float]]:
    """Equal-mass bins by rising prediction, at most ten, each with its weight.

    Equal predictions stay in the bin that they first fall in.
    """
    order = np.argsort(predicted, kind="stable")
    w, p, y = weight[order], predicted[order], observed[order]
    first = np.searchsorted(p, p, side="left")
    mass = np.cumsum(w) - w
    number = np.minimum((mass[first] / w.sum() * BINS + 1e-9).astype(np.int64), BINS - 1)
    bins = []
    for b in np.unique(number):
        inside = number == b
        total = float(w[inside].sum())
        share = w[inside] / total
        bins.append((ReliabilityBin(int(inside.sum()), float(share @ p[inside]), float(share @ y[inside])), total))
    return bins


def _quality(
    model: str, weight: Floats, predicted: Floats, observed: Floats, r2: float | None = None
) -> QualityCalibration:
    share = weight / weight.sum()
    mean = float(share @ observed)
    brier, spread = float(share @ (predicted - observed) ** 2), float(share @ (observed - mean) ** 2)
    binned = _binned(weight, predicted, observed)
    gaps = [abs(each.predicted - each.observed) * mass for each, mass in binned]
    if r2 is None:
        r2 = 1.0 - brier / spread if spread > LEAST_VARIANCE else math.nan
    return QualityCalibration(
        model=model,
        n=predicted.size,
        bins=tuple(each for each, _ in binned),
        brier=brier,
        ece=sum(gaps) / float(weight.sum()),
        r2=r2,
        mean_predicted=float(share @ predicted),
        mean_observed=mean,
    )


def _amount(
    model: str, weight: Floats, predicted: Floats, observed: Floats, r2: float | None = None
) -> AmountCalibration:
    share = weight / weight.sum()
    total = float(share @ observed)
    positive = (predicted > 0.0) & (observed > 0.0)
    error = np.abs(predicted[positive] - observed[positive]) / observed[positive]
    return AmountCalibration(
        model=model,
        n=predicted.size,
        r2_log=_r2_log(weight[positive], predicted[positive], observed[positive]) if r2 is None else r2,
        median_ape=_median(weight[positive], error),
        ratio_of_means=float(share @ predicted) / total if total > 0.0 else math.nan,
    )


def _r2_log(weight: Floats, predicted: Floats, observed: Floats) -> float:
    """1 - Var(log observed - log predicted) / Var(log observed).

    The constant between a mean and a median on the log scale is left out: `ratio_of_means` judges the level.
    """
    if observed.size == 0:
        return math.nan
    truth = np.log(observed)
    spread = _variance(weight, truth)
    return 1.0 - _variance(weight, truth - np.log(predicted)) / spread if spread > LEAST_VARIANCE else math.nan


def _median(weight: Floats, values: Floats) -> float:
    """The value that halves the weight, or the middle of the two that do; NaN of nothing."""
    if values.size == 0:
        return math.nan
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    half = reached[-1] / 2.0
    low, high = (np.searchsorted(reached, half * (1.0 + side * ROUNDING)) for side in (-1.0, 1.0))
    return float(values[order][low] + values[order][min(high, values.size - 1)]) / 2.0


def _variance(weight: Floats, values: Floats) -> float:
    share = weight / weight.sum()
    return float(share @ (values - share @ values) ** 2)


def _mean(values: list[float]) -> float:
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan
