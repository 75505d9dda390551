"""Paired bootstrap over queries: every mean of every curve is resampled with the same queries.

Queries that are copies of one another (one cluster) are drawn together. Weighted means are ratio estimators: the sum
of weight x value over the sum of weights, both resampled (Efron and Tibshirani, 1993). What percentile intervals leave
out is put right here, in all figures alike (docs/explanation/metrics.md, "Intervals").
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tenbin.types import NORMAL_95, Figure, Floats, Ints

LEVEL = 0.95
LEANS = 2.0
"""How often the resamples' lean is counted: once for themselves, once for the figure that they are made of."""
LONGER_ARM = 0.5
"""How much of its excess over the shorter arm the longer one still lacks: for a mean of skewness 6 g the percentile
interval ends at z + g (z^2 - 1), z the normal quantile, and the middle is at -g, so that with both leans it ends at
z + g (z^2 + 1); it should at z + g (2 z^2 + 1) (Hall, Annals of Statistics 16:3, 1988), and the excess is 2 g z^2."""
ENOUGH_SEEN = 10.0
"""Outcomes of those that left that came out otherwise: so many say as much of their spread as all queries do."""
BATCH = 100
ROUNDING = 1e-9


class Columns:
    """Per-query values gathered under names, so that one matrix product resamples all their means.

    Values with NaN go in by `add_gappy`: their means are then over the known ones.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._blocks: list[Floats] = []
        self._slices: dict[str, slice] = {}
        self._width = 0

    def add(self, name: str, values: Floats) -> None:
        """Append the columns of `values` [n, k] (or [n]) under a new name; every value finite."""
        block = values.reshape(self._n, -1)
        self._slices[name] = slice(self._width, self._width + block.shape[1])
        self._blocks.append(block)
        self._width += block.shape[1]

    def add_gappy(self, name: str, values: Floats) -> None:
        """The same for values with NaN: kept as sums over the known and their share, see `Means.gappy`."""
        known = ~np.isnan(values)
        self.add(name, np.where(known, values, 0.0))
        self.add(f"{name}?", known.astype(np.float64))

    def clustered(self, weight: Floats, cluster: Ints) -> tuple[Floats, Floats]:
        """Sums of weight x value [G, K] and of weight [G] per cluster; `cluster` [n] numbers clusters from 0."""
        total: Floats = np.bincount(cluster, weights=weight).astype(np.float64)
        order = np.argsort(cluster, kind="stable")
        starts = np.searchsorted(cluster[order], np.arange(total.size))
        sums = np.empty((total.size, self._width))
        at = 0
        for block in self._blocks:
            weighed = block[order] * weight[order, None]
            sums[:, at : at + block.shape[1]] = np.add.reduceat(weighed, starts, axis=0)
            at += block.shape[1]
        return sums, total

    @property
    def slices(self) -> dict[str, slice]:
        """Where the columns of each name stand."""
        return dict(self._slices)


class Means:
    """The means of all columns: on the sample (row 0) and on every resample (rows 1 to R)."""

    def __init__(self, rows: Floats, slices: dict[str, slice]) -> None:
        self._rows = rows
        self._slices = slices

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, name: str) -> Floats:
        """[1 + R, k] means of the columns under that name."""
        return self._rows[:, self._slices[name]]

    def gappy(self, name: str) -> Floats:
        """[1 + R, k] means over the known values; NaN where none is known."""
        known = self.of(f"{name}?")
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = np.where(known > 0.0, self.of(name) / known, np.nan)
        return mean


def resample(
    columns: Columns,
    weight: Floats,
    cluster: Ints,
    *,
    resamples: int,
    seed: int,
    tick: Callable[[float], None] = lambda _done: None,
) -> Means:
    """Means on the sample and on `resamples` bootstrap samples of clusters; the same seed gives the same rows.

    `weight` [n] > 0, `cluster` [n] ints from 0. `tick` hears the share done.
    """
    sums, total = columns.clustered(weight, cluster)
    n_clusters = total.size
    rows = np.empty((1 + resamples, sums.shape[1]))
    rows[0] = (np.ones((1, n_clusters)) @ sums)[0] / total.sum()
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, BATCH):
        size = min(BATCH, resamples - start)
        drawn = rng.integers(0, n_clusters, size=(size, n_clusters))
        drawn += np.arange(size)[:, None] * n_clusters
        counts = np.bincount(drawn.ravel(), minlength=size * n_clusters).reshape(size, n_clusters).astype(np.float64)
        rows[1 + start : 1 + start + size] = (counts @ sums) / (counts @ total)[:, None]
        tick((start + size) / resamples)
    return Means(rows, columns.slices)


def interval(rows: Floats) -> Figure:
    """The value on the sample (row 0) with the interval of the resamples (rows 1 to R), for any figure.

    The percentile interval, drawn out on one side where the middle of the resamples leans to the other, by twice as
    much: what is a maximum on the sample is one once more on each resample. A NaN resample means "not reached" and
    counts as +infinity, so that leaving it out cannot flatter: an end of the interval that falls among those is NaN.
    """
    value = float(rows[0])
    low, middle, high = _percentiles(rows)
    if math.isfinite(value) and math.isfinite(middle):
        back = LEANS * (value - middle)
        low, high = min(low, low + back), max(high, high + back)
    return _figure(value, low, high)


def mean_interval(rows: Floats, lent_sd: float = 0.0, *, tail: float = 0.0) -> Figure:
    """The same for a mean, or a ratio of means: `interval`, the longer arm drawn out where the resamples are skewed.

    `lent_sd` is what the resamples cannot know, as a standard deviation. `tail` is what one arm is at least at the end,
    the lower one where it is below 0 (`Training.tails`).
    """
    figure = interval(rows)
    low, middle, high = _percentiles(rows)
    excess = (high - middle) - (middle - low) if math.isfinite(low) and math.isfinite(high) else 0.0
    below = figure.value - figure.low + LONGER_ARM * max(-excess, 0.0)
    above = figure.high - figure.value + LONGER_ARM * max(excess, 0.0)
    if lent_sd > 0.0:
        below, above = math.hypot(below, NORMAL_95 * lent_sd), math.hypot(above, NORMAL_95 * lent_sd)
    return _figure(figure.value, figure.value - max(below, -tail), figure.value + max(above, tail))


def quality_interval(rows: Floats, lent_sd: float = 0.0, *, variance_share: float = 0.0) -> Figure:
    """`mean_interval` of a mean quality: between 0 and 1, which a handful of queries forget.

    Where every query came out right (or wrong), so does every resample. As many alike are seen one time in 40 where a
    share of .025 ** (1 / n) does (Clopper and Pearson, Biometrika 26, 1934): there the interval ends.
    `variance_share` is 1 / n (`Ground.variance_share`).
    """
    figure = within(mean_interval(rows, lent_sd), 0.0, 1.0)
    least = ((1.0 - LEVEL) / 2.0) ** variance_share
    if np.abs(rows - 1.0).max() < ROUNDING:
        return Figure(figure.value, min(figure.low, least), figure.high)
    if np.abs(rows).max() < ROUNDING:
        return Figure(figure.value, figure.low, max(figure.high, 1.0 - least))
    return figure


def amount_interval(rows: Floats, lent_sd: float = 0.0, *, tail: float = 0.0) -> Figure:
    """`mean_interval` of dollars, of seconds or of a share of something: never below 0."""
    return within(mean_interval(rows, lent_sd, tail=tail), 0.0)


def either_way(rows: Floats, lent_sd: float = 0.0, *, expected_sd: float = 0.0, seen: float = math.inf) -> Figure:
    """`amount_interval` of a share that single queries move up and down, where few of them may have done so.

    Where one query of a few that went came out worse and none better, no resample has a better one, and percentiles end
    upwards at none: the standard error knows that there may be as many of them as were seen of the others. So no arm is
    shorter than 1.96 of these. Nor do a few tell how far they vary: `seen` outcomes that came out otherwise weigh
    beside `ENOUGH_SEEN` of those that `expected_sd` is made of (`Prospects.quality_sd`).
    """
    figure, error = mean_interval(rows), standard_error(rows)
    least_arm = NORMAL_95 * error if math.isfinite(error) else 0.0
    expected_share = ENOUGH_SEEN / (ENOUGH_SEEN + seen)

    def arm(own: float) -> float:
        seen_square = (1.0 - expected_share) * max(own, least_arm) ** 2
        return math.sqrt(seen_square + NORMAL_95**2 * (expected_share * expected_sd**2 + lent_sd**2))

    below, above = arm(figure.value - figure.low), arm(figure.high - figure.value)
    return within(_figure(figure.value, figure.value - below, figure.value + above), 0.0)


def within(figure: Figure, least: float, most: float = math.inf) -> Figure:
    """The figure with the ends of its interval inside what is possible."""
    return Figure(figure.value, min(max(figure.low, least), figure.value), max(min(figure.high, most), figure.value))


def _percentiles(rows: Floats) -> tuple[float, float, float]:
    """Both ends of the percentile interval of rows 1 to R with their middle between them; NaN without any."""
    drawn = np.sort(np.where(np.isnan(rows[1:]), np.inf, rows[1:]))
    if drawn.size == 0:
        return math.nan, math.nan, math.nan
    last, tail = drawn.size - 1, (1.0 - LEVEL) / 2.0
    middle = (float(drawn[last // 2]) + float(drawn[drawn.size // 2])) / 2.0  # of both infinities none, and no warning
    return float(drawn[math.floor(tail * last)]), middle, float(drawn[math.ceil((1.0 - tail) * last)])


def _figure(value: float, low: float, high: float) -> Figure:
    return Figure(value, low if math.isfinite(low) else math.nan, high if math.isfinite(high) else math.nan)


def standard_error(rows: Floats) -> float:
    """The bootstrap standard error: the standard deviation of rows 1 to R (NaN with fewer than two)."""
    return float(np.std(rows[1:], ddof=1)) if rows.size > 2 else math.nan
