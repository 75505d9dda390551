"""The upper concave non-decreasing hull of points in linear dollars, and what is read off it in closed form.

A point between two vertices is a randomised mixture of the two: used to measure, not served.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tenbin.types import Floats

COST_FLOOR_USD = 1e-7
"""Costs below this are lifted to it on the logarithmic axis, so that free models have a place there."""
REACHED = 1e-12
"""Slack when a quality is compared with the hull's peak: sums of the same numbers differ by rounding."""
SAME_COST = 1e-12
"""Costs nearer than this share of themselves are one: means over the same dollars, added up in another order."""


@dataclass(frozen=True, slots=True)
class Hull:
    """Vertices by rising dollars and rising quality; flat to the left of the first and to the right of the last."""

    cost_usd: tuple[float, ...]
    quality: tuple[float, ...]

    def height(self, cost_usd: Floats | float) -> Floats:
        """The best mean quality reachable for these mean dollars."""
        return np.asarray(np.interp(cost_usd, self.cost_usd, self.quality), dtype=np.float64)

    def mean_height(self, low_usd: float, high_usd: float) -> float:
        """AIQ: mean height over dollars uniform in [low, high]; the height at `high` where the range is a point."""
        if _is_point(low_usd, high_usd):
            return self._height_at(high_usd)
        whole = high_usd - low_usd
        return math.fsum((x1 - x0) / whole * (y0 + y1) / 2.0 for x0, y0, x1, y1 in self._pieces(low_usd, high_usd))

    def mean_height_log(self, low_usd: float, high_usd: float) -> float:
        """AIQ-log: the same hull, dollars uniform in logarithm between `low` and `high`, both floored at 1e-7.

        On a piece from (x0, y0) to (x1, y1), with r = (x1 - x0) / x0, the integral of y dx / x is
        y0 ln(1 + r) + (y1 - y0) (1 - ln(1 + r) / r): no slope, so that costs a rounding apart do no harm.
        """
        low, high = max(low_usd, COST_FLOOR_USD), max(high_usd, COST_FLOOR_USD)
        if _is_point(low, high):
            return self._height_at(high)
        area = 0.0
        for x0, y0, x1, y1 in self._pieces(low, high):
            rise = (x1 - x0) / x0
            width = math.log1p(rise)
            area += y0 * width + (y1 - y0) * (1.0 - width / rise)
        return area / math.log1p((high - low) / low)

    def cost_at(self, quality: float) -> float:
        """Least dollars at which the hull reaches `quality`; NaN where it never does."""
        if not quality <= self.quality[-1] + REACHED:
            return math.nan
        return _between(self.quality, self.cost_usd, quality)

    def _height_at(self, cost_usd: float) -> float:
        """The height where everything costs the same: all of it, though a mean may lie a rounding beyond another."""
        return _between(self.cost_usd, self.quality, cost_usd * (1.0 + SAME_COST))

    def _pieces(self, low: float, high: float) -> Iterable[tuple[float, float, float, float]]:
        """The straight pieces (x0, y0, x1, y1) of the hull between two costs, low < high, flat beyond its ends."""
        inner = slice(bisect_right(self.cost_usd, low), bisect_left(self.cost_usd, high))
        first, last = (_between(self.cost_usd, self.quality, end) for end in (low, high))
        xs, ys = [low, *self.cost_usd[inner], high], [first, *self.quality[inner], last]
        return zip(xs, ys, xs[1:], ys[1:], strict=False)


def _is_point(low: float, high: float) -> bool:
    """Whether a range of costs has no width but that of rounding."""
    return not high - low > SAME_COST * high


def upper_hull(cost_usd: Iterable[float], quality: Iterable[float]) -> Hull:
    """The hull of at least one point; neither the order of points nor dominated ones change it."""
    x_all, y_all = np.array([*cost_usd], dtype=np.float64), np.array([*quality], dtype=np.float64)
    order = np.lexsort((-y_all, x_all))
    dearer, better = x_all[order], y_all[order]
    # What is no better than something cheaper goes at once: a curve has hundreds of points, a hull some dozens.
    is_better = np.append(True, better[1:] > np.maximum.accumulate(better)[:-1])
    vertices: list[tuple[float, float]] = []
    for x, y in zip(dearer[is_better].tolist(), better[is_better].tolist(), strict=True):
        while len(vertices) > 1 and _not_above(vertices[-2], vertices[-1], (x, y)):
            vertices.pop()
        vertices.append((x, y))
    return Hull(tuple(x for x, _ in vertices), tuple(y for _, y in vertices))


def _between(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """What `np.interp` says of one number, to the last bit and ten times sooner: resamples ask tens of thousands."""
    k = bisect_right(xs, x) - 1
    if k < 0:
        return ys[0]
    if k == len(xs) - 1 or xs[k] == x:
        return ys[k]
    return (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k]) * (x - xs[k]) + ys[k]


def _not_above(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether `middle` lies on or below the line from `left` to `right`."""
    rise = (middle[1] - left[1]) * (right[0] - left[0])
    return rise <= (right[1] - left[1]) * (middle[0] - left[0])
