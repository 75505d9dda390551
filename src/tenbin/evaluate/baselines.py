"""What any router must beat: single models, their mixtures, the group table, CARROT-kNN, mean costs, the best pair.

Everything is learnt on training data except z_test and the oracle, which look at the test outcomes and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tenbin.evaluate.curve import PLAIN, Contender, chosen, constant, swept
from tenbin.evaluate.hull import upper_hull
from tenbin.evaluate.metrics import curve_hull, scale_of
from tenbin.risk import Anchors
from tenbin.router.sweep import Sweep
from tenbin.types import ESTIMATED, Bools, Estimates, Figure, Floats, Ints

PAIR_POINTS = 21
PAIR_ROWS = 4000
ORACLE_NOTE = (
    "noise-corrected oracle: not identifiable (no answer or label was repeated); "
    "the hindsight curve counts lucky guesses as skill"
)


def room_note(room: Figure) -> str:
    """The sentence on an oracle whose luck is known (head room in mean quality)."""
    value, low, high = (f"{100.0 * end:+.1f}" for end in (room.value, room.low, room.high))
    return (
        f"noise-corrected oracle: {value} points of quality above blind mixtures at the same cost "
        f"({low} to {high}); the hindsight curve counts lucky guesses as skill"
    )


@dataclass(frozen=True, slots=True)
class TrainedBaselines:
    """What the baselines learnt at fit, applied to the test queries: arrays only.

    `mean_quality`, `mean_cost_usd` [M] of the training rows; `group_quality`, `knn_quality`, `knn_cost_usd` [n, M]
    predictions for the test queries (None where they were not fitted); `pair` [M] the two models of the best pair.
    """

    mean_quality: Floats
    mean_cost_usd: Floats
    group_quality: Floats | None
    knn_quality: Floats | None
    knn_cost_usd: Floats | None
    pair: Bools | None


@dataclass(frozen=True, slots=True)
class Arena:
    """The ground on which contenders meet: the router's estimates and dollars on the test rows and its scaling."""

    models: tuple[str, ...]
    anchors: Anchors
    mus: Floats
    estimates: Estimates
    cost_usd: Floats
    weight: Floats

    def contender(
        self, name: str, title: str, quality: Floats | None, cost_usd: Floats | None, among: Bools | None = None
    ) -> Contender:
        """The rule with other qualities or dollars [n, M] in place of the router's (None keeps them)."""
        estimates = self.estimates if quality is None else replace(self.estimates, quality=quality)
        cost = self.cost_usd if cost_usd is None else cost_usd
        return swept(name, title, estimates, cost, self.models, self.anchors, self.mus, self.weight, among=among)


def contenders(
    arena: Arena, trained: TrainedBaselines, quality: Floats, cost_usd: Floats, tick: Callable[[float], None]
) -> tuple[Contender, ...]:
    """The router first, then every baseline that there is, in the order of the report.

    `quality`, `cost_usd` [n, M] are the realised ones: only z_test and the oracle look at them.
    """
    n = quality.shape[0]
    flat_cost = np.broadcast_to(trained.mean_cost_usd, quality.shape)
    everyone = np.arange(len(arena.models))
    vertices = zero_vertices(trained.mean_quality, trained.mean_cost_usd)
    makers: list[Callable[[], Contender]] = [
        lambda: arena.contender("router", "Tenbin", None, None),
        lambda: constant("z_test", "Zero router (test means)", everyone, arena.models, n, deployable=False),
        lambda: constant("z_train", "Zero router (training means)", vertices, arena.models, n, deployable=True),
    ]
    if trained.group_quality is not None:
        makers.append(lambda: arena.contender("group_table", "Group table", trained.group_quality, flat_cost))
    if trained.knn_quality is not None:
        makers.append(lambda: arena.contender("carrot_knn", "CARROT-kNN", trained.knn_quality, trained.knn_cost_usd))
    makers.append(lambda: arena.contender("mean_cost", "Mean-cost rule", None, flat_cost))
    if trained.pair is not None:
        names = " + ".join(m for m, inside in zip(arena.models, trained.pair, strict=True) if inside)
        makers.append(lambda: arena.contender("best_pair", f"Best pair ({names})", None, None, trained.pair))
    makers.append(lambda: _oracle(arena, quality, cost_usd))
    made = []
    for number, make in enumerate(makers, start=1):
        made.append(make())
        tick(number / len(makers))
    return tuple(made)


def zero_vertices(quality: Floats, cost_usd: Floats) -> Ints:
    """The models (indices, by rising cost) that are vertices of the hull of these means [M]."""
    hull = upper_hull(cost_usd.tolist(), quality.tolist())
    points = list(zip(cost_usd.tolist(), quality.tolist(), strict=True))
    return np.array([points.index(vertex) for vertex in zip(hull.cost_usd, hull.quality, strict=True)], dtype=np.int64)


def best_pair(
    estimates: Estimates,
    cost_usd: Floats,
    realised_quality: Floats,
    realised_cost_usd: Floats,
    anchors: Anchors,
    models: tuple[str, ...],
    mus: Floats,
) -> Bools | None:
    """The two models [M] whose router has the highest AIQ on training rows, from out-of-fold estimates.

    All arrays [n, M]; rows with an unknown realised cell are left out, and at most 4,000 evenly spaced ones are used.
    None with fewer than three models or without a complete row.
    """
    known = ~(np.isnan(realised_quality).any(axis=1) | np.isnan(realised_cost_usd).any(axis=1))
    rows = np.flatnonzero(known)
    if len(models) < 3 or rows.size == 0:
        return None
    rows = rows[np.unique(np.linspace(0, rows.size - 1, PAIR_ROWS).astype(np.int64))]
    quality, cost, predicted = realised_quality[rows], realised_cost_usd[rows], cost_usd[rows]
    scale = scale_of(quality.mean(axis=0), cost.mean(axis=0))
    best, best_area = (0, 1), -np.inf
    for pair in combinations(range(len(models)), 2):
        picked = list(pair)
        two = Estimates(**{name: getattr(estimates, name)[rows][:, picked] for name in ESTIMATED})
        names = (models[pair[0]], models[pair[1]])
        choices = Sweep.of(two, predicted[:, picked], names, anchors, PLAIN, np.ones(2, dtype=np.bool_)).choices(mus)
        points = [chosen(cells[:, picked], choices).mean(axis=1).tolist() for cells in (cost, quality)]
        area = curve_hull(points[0], points[1], scale).mean_height(scale.low_usd, scale.high_usd)
        if area > best_area:
            best, best_area = pair, area
    return np.isin(np.arange(len(models)), best)


def _oracle(arena: Arena, quality: Floats, cost_usd: Floats) -> Contender:
    hindsight = arena.contender("oracle", "Hindsight (not attainable)", quality, cost_usd)
    return replace(hindsight, deployable=False)
