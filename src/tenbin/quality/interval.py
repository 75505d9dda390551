"""A measured number with how far it is to be believed, and Student's t, which small samples need."""

from __future__ import annotations

import math
from statistics import NormalDist

from tenbin.types import Figure

LEVEL = 0.95
MOST_TERMS = 300
MOST_STEPS = 200
TINY = 1e-300


def t_interval(value: float, variance: float, freedom: float, level: float = LEVEL) -> Figure:
    """The interval of Student's t around `value`; without degrees of freedom its ends are NaN."""
    if not (freedom > 0.0 and math.isfinite(variance)):
        return Figure(value, math.nan, math.nan)
    reach = t_quantile(0.5 + 0.5 * level, freedom) * math.sqrt(max(variance, 0.0))
    return Figure(value, value - reach, value + reach)


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t, for a probability in (0, 1) and any positive degrees of freedom."""
    if probability < 0.5:
        return -t_quantile(1.0 - probability, freedom)
    tail, t = 2.0 * (1.0 - probability), NormalDist().inv_cdf(probability)
    log_peak = math.lgamma(0.5 * (freedom + 1.0)) - math.lgamma(0.5 * freedom) - 0.5 * math.log(freedom * math.pi)
    # Newton's steps; the normal quantile lies below, and the tails are convex, so that no step goes too far.
    for _ in range(MOST_STEPS):
        density = math.exp(log_peak - 0.5 * (freedom + 1.0) * math.log1p(t * t / freedom))
        step = (_two_tails(t, freedom) - tail) / (2.0 * density)
        t += step
        if abs(step) <= 1e-12 * t:
            break
    return t


def _two_tails(t: float, freedom: float) -> float:
    """P(|T| > t): the regularised incomplete beta function (Abramowitz and Stegun, 26.7.1)."""
    return _incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction by Lentz's method."""
    above, below = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    total = below
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            below = 1.0 / _away_from_zero(1.0 + step * below)
            above = _away_from_zero(1.0 + step / above)
            total *= above * below
        if abs(above * below - 1.0) < 1e-14:
            break
    return total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
