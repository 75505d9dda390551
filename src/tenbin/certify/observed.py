"""What was observed on the calibration prompts at a setting, as shares of the reference's, with 95 % intervals.

They are those of ratio estimators by linearisation, and of what the few prompts that a cautious setting sends elsewhere
may hide: two more pairs of those that stayed are imagined to come out otherwise (Agresti and Coull, The American
Statistician 52:2, 1998), and the end towards more of them is that of one more (Garwood, Biometrika 28, 1936); what they
would bring is read off those that went and those next in line to (docs/explanation/metrics.md, "Intervals").
"""

from __future__ import annotations

import math

import numpy as np

from tenbin.certify.pairs import Pairs
from tenbin.types import NORMAL_95, UNKNOWN, Bools, Figure, Floats

LENT_PAIRS = 2.0
LEAST_IN_LINE = 10
"""Prompts next in line, where fewer have gone."""


def observed_quality(pairs: Pairs, step: int, min_quality: float) -> Figure:
    """Mean quality at a step of the path as a share of the reference's; step 0 is the reference itself."""
    usual = pairs.usual_quality
    return _share(np.nan_to_num(pairs.values) + min_quality * usual, usual, step, pairs)


def observed_saving(pairs: Pairs, step: int) -> Figure:
    """The share of the reference's dollars that a step of the path saves."""
    return _share(pairs.dollars, pairs.usual_dollars, step, pairs).flipped


def _farther(gone: Bools, step: int) -> int:
    """The first later step at which as many prompts again have left the reference, ten at least; else the last."""
    count = gone.sum(axis=0)
    later = np.flatnonzero(count[step:] >= count[step] + max(int(count[step]), LEAST_IN_LINE))
    return step + int(later[0]) if later.size else len(count) - 1


def _share(own: Floats, usual: Floats, step: int, pairs: Pairs) -> Figure:
    """The ratio of two sums [G, K] of amounts >= 0 over prompts at a step; NaN where nothing is under it."""
    over, under = own[:, step], usual[:, step]
    total, n = float(under.sum()), len(under)
    if not total > 0.0:
        return UNKNOWN
    value = float(over.sum()) / total
    if n < 2:
        return Figure(value, math.nan, math.nan)
    variance = n / (n - 1) * float(((over - value * under) ** 2).sum())
    more = 0.0
    if step > 0:
        gone = pairs.dollars != pairs.usual_dollars
        farther, stayed = _farther(gone, step), float(np.average(~gone[:, step], weights=pairs.weight[:, step]))
        unlike = ~np.isclose(own[:, farther], usual[:, farther], rtol=1e-9, atol=0.0)
        moved = (own - usual)[unlike, farther]
        variance += LENT_PAIRS * stayed * float(np.mean(moved**2 if moved.size else under**2))
        more = stayed * float(moved.mean()) if moved.size else 0.0
    half = NORMAL_95 * math.sqrt(variance)
    low = max(value - (half + max(-more, 0.0)) / total, 0.0)
    return Figure(value, low, value + (half + max(more, 0.0)) / total)
