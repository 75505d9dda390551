"""How far a judge agrees with people: on the answers that both have graded, for each model and for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.quality.interval import t_interval
from tenbin.types import UNKNOWN, Bools, Figure, Floats

PASS = 0.5
"""Where a grade turns from wrong to right, for the share on which both say the same."""
LEAST_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """The judge beside people on `n` answers of `model` ("" = of all).

    `same` is the share on which both say right or both say wrong (at least 0.5 or below), `distance` the mean absolute
    difference, `bias` judge minus people with its interval, `correlation` Pearson's. `kappa` is Cohen's with squared
    distances as weights: 1 perfect, 0 as by chance; on grades of 0 and 1 it is the plain one. NaN where grades do not
    vary or answers are fewer than three.
    """

    model: str
    n: int
    same: float
    distance: float
    bias: Figure
    correlation: float
    kappa: Figure


def agreement(judged: Floats, human: Floats, models: Sequence[str], weight: Floats | None = None) -> list[Agreement]:
    """The agreement over all models, then of each, from `judged` and `human` [n, M] (NaN where not graded).

    `weight` [n, M] is 1 / the probability with which an answer came to be labelled (None: all alike).
    """
    both = ~(np.isnan(judged) | np.isnan(human))
    weights = np.ones_like(judged) if weight is None else np.where(both, weight, 0.0)
    rows = [_agreement("", judged, human, weights, both)]
    for m, model in enumerate(models):
        column: Bools = np.zeros_like(both)
        column[:, m] = both[:, m]
        rows.append(_agreement(model, judged, human, weights, column))
    return rows


def _agreement(model: str, judged: Floats, human: Floats, weight: Floats, cells: Bools) -> Agreement:
    f, y, n = judged[cells], human[cells], int(cells.sum())
    if n < LEAST_ANSWERS:
        return Agreement(model, n, math.nan, math.nan, UNKNOWN, math.nan, UNKNOWN)
    w = weight[cells] / weight[cells].sum()
    bias, effective = float(w @ (f - y)), 1.0 / float(w @ w)
    spread = float(w @ (f - y - bias) ** 2) / (effective - 1.0)
    return Agreement(
        model=model,
        n=n,
        same=float(w @ ((f >= PASS) == (y >= PASS))),
        distance=float(w @ np.abs(f - y)),
        bias=t_interval(bias, spread, effective - 1.0),
        correlation=_correlation(f, y, w),
        kappa=_kappa(f, y, w),
    )


def _correlation(f: Floats, y: Floats, w: Floats) -> float:
    a, b = f - w @ f, y - w @ y
    scale = math.sqrt(float(w @ a**2) * float(w @ b**2))
    return float(w @ (a * b)) / scale if scale > 1e-12 else math.nan


def _kappa(f: Floats, y: Floats, w: Floats) -> Figure:
    """Kappa with the interval of the jackknife over answers."""
    value = _quadratic_kappa(f, y, w)
    left = np.array([_quadratic_kappa(*(np.delete(part, i) for part in (f, y, w))) for i in range(len(f))])
    if math.isnan(value) or np.isnan(left).any():
        return Figure(value, math.nan, math.nan)
    n = len(f)
    variance = (n - 1.0) / n * float(((left - left.mean()) ** 2).sum())
    found = t_interval(value, variance, n - 1.0)
    return Figure(value, max(found.low, -1.0), min(found.high, 1.0))


def _quadratic_kappa(f: Floats, y: Floats, w: Floats) -> float:
    """1 - mean squared distance / the same for grades put together at random (Cohen, 1968; also Lin's concordance)."""
    share = w / w.sum()
    f_mean, y_mean = float(share @ f), float(share @ y)
    by_chance = float(share @ (f - f_mean) ** 2) + float(share @ (y - y_mean) ** 2) + (f_mean - y_mean) ** 2
    return 1.0 - float(share @ (f - y) ** 2) / by_chance if by_chance > 1e-12 else math.nan
