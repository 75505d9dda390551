"""All contenders on the same queries, and on the same resamples of them: where every paired figure comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tenbin.evaluate.curve import Contender, chosen
from tenbin.evaluate.intervals import Columns, Means, resample
from tenbin.evaluate.metrics import FIGURES, Scale, apgr, figures_of, scale_of
from tenbin.types import Choices, Floats, Ints

SINGLES = "singles"
CHEAPEST = "cheapest"
"""What each query costs at the candidate that answers it for the least."""
POINTS = "points"


@dataclass(frozen=True, slots=True)
class Ground:
    """The complete test rows: realised quality, dollars and seconds [n, M] (seconds may be NaN), weights, clusters."""

    quality: Floats
    cost_usd: Floats
    latency_s: Floats
    weight: Floats
    cluster: Ints

    @property
    def share(self) -> Floats:
        """The weight [n] of every query, summing to 1."""
        total: Floats = self.weight / self.weight.sum()
        return total

    @property
    def variance_share(self) -> float:
        """How much of one query's variance a mean bears, copies being one: 1 / n of n queries that count alike."""
        units = np.bincount(self.cluster, weights=self.share)
        return float(units @ units)


class Trial:
    """Means of every contender's points on the sample (row 0) and on every resample, and the figures made of them.

    `figures[name]` is [1 + R, len(FIGURES)]; `scales` has one scale per row. The best single model of all of them is
    that of the sample: figures against it are told by its name, whichever would be the best on a resample.
    """

    def __init__(self, means: Means, contenders: Sequence[Contender], n_models: int) -> None:
        self.means = means
        quality, cost = means.of(f"{SINGLES} quality"), means.of(f"{SINGLES} cost")
        best = scale_of(quality[0], cost[0]).best
        self.scales: list[Scale] = [replace(scale_of(q, c), best=best) for q, c in zip(quality, cost, strict=True)]
        self.figures: dict[str, Floats] = {}
        for contender in contenders:
            self.figures[contender.name] = self._figures(contender.name, n_models)

    def column(self, name: str, figure: str) -> Floats:
        """One figure of one contender, [1 + R]."""
        return self.figures[name][:, FIGURES.index(figure)]

    def _figures(self, name: str, n_models: int) -> Floats:
        quality, cost = self.means.of(f"{name} quality"), self.means.of(f"{name} cost")
        rows = np.empty((len(self.means), len(FIGURES)))
        for r, scale in enumerate(self.scales):
            rows[r] = figures_of(cost[r], quality[r], scale)
        if n_models == 2:
            rows[:, FIGURES.index("apgr")] = self._apgr(name)
        return rows

    def _apgr(self, name: str) -> Floats:
        quality, second = self.means.of(f"{name} ladder"), self.means.of(f"{name} second")
        strong = np.array([scale.quality[1] > scale.quality[0] for scale in self.scales])
        share = np.where(strong[:, None], second, 1.0 - second)
        return np.array([apgr(q, s, scale) for q, s, scale in zip(quality, share, self.scales, strict=True)])


def run_trial(
    ground: Ground,
    contenders: Sequence[Contender],
    points: Contender,
    *,
    resamples: int,
    seed: int,
    tick: Callable[[float], None],
) -> Trial:
    """Resample every contender's means together; `points` are the operating points, measured the same way.

    Neighbouring settings with the same choices are carried once: they cannot change a hull.
    """
    n, n_models = ground.quality.shape
    columns = Columns(n)
    columns.add(f"{SINGLES} quality", ground.quality)
    columns.add(f"{SINGLES} cost", ground.cost_usd)
    columns.add(CHEAPEST, ground.cost_usd.min(axis=1))
    columns.add_gappy(f"{SINGLES} latency", ground.latency_s)
    for contender in (*contenders, points):
        choices = contender.choices if contender is points else contender.choices[distinct(contender.choices)]
        columns.add(f"{contender.name} quality", chosen(ground.quality, choices).T)
        columns.add(f"{contender.name} cost", chosen(ground.cost_usd, choices).T)
        if contender.ladder is not None:
            columns.add(f"{contender.name} ladder", chosen(ground.quality, contender.ladder).T)
            columns.add(f"{contender.name} second", (contender.ladder == 1).T.astype(np.float64))
    means = resample(
        columns, ground.weight, ground.cluster, resamples=resamples, seed=seed, tick=lambda done: tick(0.5 * done)
    )
    trial = Trial(means, contenders, n_models)
    tick(1.0)
    return trial


def distinct(choices: Choices) -> Ints:
    """The settings (rows of `choices` [K, n]) that differ from the one before; the first always."""
    changed = np.any(choices[1:] != choices[:-1], axis=1)
    return np.flatnonzero(np.concatenate([[True], changed]))


def place(choices: Choices) -> Ints:
    """For every setting [K] the position of its twin among the `distinct` ones."""
    changed = np.any(choices[1:] != choices[:-1], axis=1)
    return np.concatenate([[0], np.cumsum(changed)]).astype(np.int64)
