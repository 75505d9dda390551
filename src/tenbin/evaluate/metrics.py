"""The figures of one curve against the single models, from mean qualities and mean dollars alone.

Definitions: docs/explanation/metrics.md. Pure: the same functions serve the point figures and every bootstrap resample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tenbin.evaluate.hull import Hull, upper_hull
from tenbin.types import Floats

FIGURES = ("aiq", "aiq_log", "qnc", "cost_at_99", "cost_at_97", "cost_at_95", "peak_quality", "apgr")
RATIOS = (1.0, 0.99, 0.97, 0.95)
"""The shares of the best single model's quality at which costs are read: `qnc` and the three `cost_at_…`."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What every curve of one sample is measured against: the zero router of that sample and its best single model.

    `cheapest` and `best` are indices of models; ties go to the better and to the cheaper one.
    """

    zero: Hull
    cheapest: int
    best: int
    quality: Floats
    cost_usd: Floats

    @property
    def low_usd(self) -> float:
        """a, the cost of the cheapest vertex."""
        return self.zero.cost_usd[0]

    @property
    def high_usd(self) -> float:
        """b, the cost of the dearest vertex."""
        return self.zero.cost_usd[-1]

    @property
    def best_quality(self) -> float:
        """Mean quality of the best single model."""
        return float(self.quality[self.best])

    @property
    def best_cost_usd(self) -> float:
        """Mean dollars of the best single model."""
        return float(self.cost_usd[self.best])


def scale_of(quality: Floats, cost_usd: Floats) -> Scale:
    """The scale from the single models' mean qualities and dollars, [M] each."""
    return Scale(
        zero=upper_hull(cost_usd, quality),
        cheapest=int(np.lexsort((-quality, cost_usd))[0]),
        best=int(np.lexsort((cost_usd, -quality))[0]),
        quality=quality,
        cost_usd=cost_usd,
    )


def curve_hull(cost_usd: Iterable[float], quality: Iterable[float], scale: Scale) -> Hull:
    """The hull of a curve's points with the cheapest single model added on the left."""
    m = scale.cheapest
    return upper_hull([*cost_usd, float(scale.cost_usd[m])], [*quality, float(scale.quality[m])])


def cost_share(hull: Hull, ratio: float, scale: Scale) -> float:
    """Least cost at `ratio` of the best single model's quality, as a share of that model's cost.

    NaN where the quality is not reached, or where the best single model is free.
    """
    if scale.best_cost_usd <= 0.0:
        return math.nan
    return hull.cost_at(ratio * scale.best_quality) / scale.best_cost_usd


def apgr(quality: Floats, strong_share: Floats, scale: Scale) -> float:
    """Mean performance gap recovered over the share of strong calls, two models (RouteLLM, arXiv 2406.18665).

    `quality` and `strong_share` [L] are those of ever more strong calls, the queries of largest estimated gap first;
    from the weak model (share 0) to the strong one (share 1), straight between points. Dollars play no
    part. NaN unless there are two models of different quality.
    """
    if scale.quality.size != 2:
        return math.nan
    weak, strong = float(scale.quality.min()), float(scale.quality.max())
    if not strong > weak:
        return math.nan
    order = np.argsort(strong_share, kind="stable")
    share = np.concatenate([[0.0], strong_share[order], [1.0]])
    gap = (np.concatenate([[weak], quality[order], [strong]]) - weak) / (strong - weak)
    return float(np.sum(np.diff(share) * (gap[1:] + gap[:-1]) / 2.0))


def figures_of(cost_usd: Floats, quality: Floats, scale: Scale) -> list[float]:
    """The figures of a curve's points in the order of `FIGURES`; APGR, which is not of the curve, is left NaN."""
    hull = curve_hull(cost_usd.tolist(), quality.tolist(), scale)
    costs = [cost_share(hull, ratio, scale) for ratio in RATIOS]
    return [
        hull.mean_height(scale.low_usd, scale.high_usd),
        hull.mean_height_log(scale.low_usd, scale.high_usd),
        *costs,
        hull.quality[-1],
        math.nan,
    ]


def arena_score(quality: float, cost_usd: float) -> float:
    """RouterArena's S = 1.1 A C / (0.1 A + C), C = log2(200 / c) / log2(200 / .0044), c dollars per 1,000 queries.

    In [0, 100]; c is held within [.0044, 200].
    """
    c = min(max(1000.0 * cost_usd, 0.0044), 200.0)
    cheapness = math.log2(200.0 / c) / math.log2(200.0 / 0.0044)
    below = 0.1 * quality + cheapness
    return 110.0 * quality * cheapness / below if below > 0.0 else 0.0
