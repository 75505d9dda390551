"""Paired bootstrap over queries: every mean of every curve is resampled with the same queries.

Queries that are copies of one another (one cluster) are drawn together. Weighted means are ratio estimators: the sum
of weight x value over the sum of weights, both resampled (Efron and Tibshirani, 1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tenbin.evaluate.result import Figure
from tenbin.types import Floats, Ints

LEVEL = 0.95
BATCH = 100
UNKNOWN = Figure(math.nan, math.nan, math.nan)


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

    def figure(self, name: str, column: int = 0) -> Figure:
        """The mean of one column with its interval."""
        return interval(self.of(name)[:, column])


def resample(
    columns: Columns, weight: Floats, cluster: Ints, *, resamples: int, seed: int, tick: Callable[[float], None]
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
    """The value on the sample (row 0) with the percentile interval of the resamples (rows 1 to R).

    A NaN resample means "not reached" and counts as +infinity, so that leaving it out cannot flatter: an end of
    the interval that falls among those is NaN.
    """
    value, drawn = float(rows[0]), np.sort(np.where(np.isnan(rows[1:]), np.inf, rows[1:]))
    if drawn.size == 0:
        return Figure(value, math.nan, math.nan)
    tail = (1.0 - LEVEL) / 2.0
    low = float(drawn[math.floor(tail * (drawn.size - 1))])
    high = float(drawn[math.ceil((1.0 - tail) * (drawn.size - 1))])
    return Figure(value, low if math.isfinite(low) else math.nan, high if math.isfinite(high) else math.nan)


def standard_error(rows: Floats) -> float:
    """The bootstrap standard error: the standard deviation of rows 1 to R (NaN with fewer than two)."""
    return float(np.std(rows[1:], ddof=1)) if rows.size > 2 else math.nan
