"""A router and outcomes with a known truth: each query's right probabilities are a function of its group alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from tenbin.risk import Anchors
from tenbin.router.crossfit import Crossfit, DialCurve, Observed, dial_curve
from tenbin.router.learning_curve import LearningCurve
from tenbin.types import Estimates, Features, Floats, Panel, Query, TradeOff


@dataclass(frozen=True)
class World:
    """`quality` [G, M] success probabilities by group, `cost_usd` [G, M] mean dollars (constant within a group)."""

    models: tuple[str, ...]
    quality: Floats
    cost_usd: Floats

    def panel(self, n: int, seed: int, split: str | None = "test", prefix: str = "") -> Panel:
        rng = np.random.default_rng(seed)
        groups = rng.integers(0, len(self.quality), n)
        shape = (n, len(self.models))
        nothing = np.full(shape, np.nan)
        return Panel(
            queries=tuple(Query(f"{prefix}{i}", f"{prefix} question {i}", group=f"g{g}") for i, g in enumerate(groups)),
            models=self.models,
            quality=(rng.random(shape) < self.quality[groups]).astype(float),
            input_tokens=nothing,
            output_tokens=nothing,
            cost_usd=self.cost_usd[groups],
            latency_s=nothing,
            label_propensity=np.ones(shape),
            split=None if split is None else (split,) * n,
            data_hash="simulated",
        )


@dataclass(frozen=True)
class SimulatedManifest:
    cost_basis: str = "dollars"
    uses_groups: bool = True
    n_train: int = 1000
    label_cost_usd: float = 12.0


@dataclass(frozen=True)
class SimulatedBaselines:
    router: SimulatedRouter

    def group_quality(self, features: Features) -> Floats:
        return self.router.world.quality[rows_of(features)]

    def knn(self, features: Features) -> tuple[Floats, dict[str, Floats]]:
        world = self.router.world
        tables = (world.quality, world.cost_usd)
        quality, cost = (np.tile(table.mean(axis=0), (len(features), 1)) for table in tables)
        return quality, {"cost_usd": cost}


@dataclass
class SimulatedRouter:
    """Knows the truth (`knows=True`), or the means only, which is what prompts that say nothing leave to learn."""

    world: World
    knows: bool = True
    seen: frozenset[str] = frozenset()
    manifest: SimulatedManifest = field(default_factory=SimulatedManifest)
    learning_curve: LearningCurve | None = None

    @property
    def models(self) -> tuple[str, ...]:
        return self.world.models

    @property
    def anchors(self) -> Anchors:
        best = int(np.argmax(self.world.quality.mean(axis=0)))
        dollars = self.world.cost_usd.mean(axis=0)
        c_ref = float(dollars[best] or dollars.max() or 1.0)
        return Anchors(self.models[best], c_ref, float("nan"))

    @property
    def crossfit(self) -> Crossfit:
        panel = self.world.panel(self.manifest.n_train, seed=77, prefix="train")
        observed = Observed(
            quality=panel.quality,
            input_tokens=panel.input_tokens,
            output_tokens=panel.output_tokens,
            cost_usd=panel.cost_usd,
            latency_s=panel.latency_s,
            weight=np.ones_like(panel.quality),
        )
        return Crossfit(self.estimate(self.features(panel.queries)), observed)

    @property
    def baselines(self) -> SimulatedBaselines:
        return SimulatedBaselines(self)

    def features(self, queries: Sequence[Query]) -> Features:
        n = len(queries)
        return Features(
            vectors=np.zeros((n, 1), dtype=np.float32),
            surface=np.zeros((n, 1), dtype=np.float32),
            groups=tuple(q.group for q in queries),
            text_tokens=np.ones(n),
            input_tokens=np.full(n, np.nan),
            familiarity=np.ones(n),
            novelty=np.zeros(n),
        )

    def estimate(self, features: Features) -> Estimates:
        rows = rows_of(features)
        quality, cost = self.world.quality, self.world.cost_usd
        if not self.knows:
            quality, cost = (np.broadcast_to(a.mean(axis=0), a.shape) for a in (quality, cost))
        unknown = np.full((len(features), len(self.models)), np.nan)
        zero = np.zeros_like(unknown)
        return Estimates(quality[rows], zero, zero, unknown, unknown, unknown, cost[rows])

    def cost_usd(self, estimates: Estimates) -> Floats:
        assert estimates.recorded_cost_usd is not None
        return estimates.recorded_cost_usd

    @property
    def pricing(self) -> Self:
        return self

    def observed_cost_usd(self) -> Floats:
        return self.crossfit.observed.cost_usd

    def dial_curve(self) -> DialCurve:
        crossfit, everyone = self.crossfit, np.ones(len(self.models), dtype=np.bool_)
        predicted, observed = self.cost_usd(crossfit.estimates), self.observed_cost_usd()
        return dial_curve(crossfit, predicted, observed, self.models, self.anchors, TradeOff(0.0), everyone)

    def versions(self) -> Mapping[str, str]:
        return {"tenbin": "0", "artifact": "simulated", "prices": "none"}


def rows_of(features: Features) -> np.ndarray:
    return np.array([int(str(group)[1:]) for group in features.groups], dtype=np.int64)


def two_skills() -> World:
    """A cheap model that is good at half of the queries, a dear one that is good at all, and a dominated one."""
    return World(
        models=("cheap", "dear", "poor"),
        quality=np.array([[0.9, 0.9, 0.5], [0.3, 0.8, 0.4]]),
        cost_usd=np.array([[0.001, 0.01, 0.005], [0.001, 0.02, 0.005]]),
    )
