"""What an evaluation asks of a router, and the few arrays it makes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from tenbin.evaluate.baselines import PAIR_POINTS, TrainedBaselines, best_pair
from tenbin.risk import Anchors, mu_grid
from tenbin.router.crossfit import Crossfit, DialCurve, known_means
from tenbin.router.learning_curve import LearningCurve
from tenbin.router.pricing import TOKENS
from tenbin.types import Estimates, Features, Floats, Panel, Query


class Described(Protocol):
    """The part of a manifest that an evaluation reads."""

    @property
    def cost_basis(self) -> str: ...

    @property
    def uses_groups(self) -> bool: ...

    @property
    def n_train(self) -> int: ...

    @property
    def label_cost_usd(self) -> float: ...


class Learnt(Protocol):
    """The baselines learnt at fit, as predictions for other queries."""

    def group_quality(self, features: Features) -> Floats: ...

    def knn(self, features: Features) -> tuple[Floats, Mapping[str, Floats]]: ...


class Priced(Protocol):
    """The prices of the moment, for amounts that others estimated or counted."""

    def cost_usd(self, estimates: Estimates) -> Floats: ...


class Subject(Protocol):
    """A fitted router as an evaluation sees it; `tenbin.router.Router` is one."""

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def anchors(self) -> Anchors: ...

    @property
    def manifest(self) -> Described: ...

    @property
    def seen(self) -> Collection[str]: ...

    @property
    def crossfit(self) -> Crossfit: ...

    @property
    def baselines(self) -> Learnt: ...

    @property
    def learning_curve(self) -> LearningCurve | None: ...

    def features(self, queries: Sequence[Query]) -> Features: ...

    def estimate(self, features: Features) -> Estimates: ...

    def cost_usd(self, estimates: Estimates) -> Floats: ...

    @property
    def pricing(self) -> Priced: ...

    def observed_cost_usd(self) -> Floats: ...

    def dial_curve(self) -> DialCurve: ...

    def versions(self) -> Mapping[str, str]: ...


def price_tokens(router: Subject) -> Callable[[Panel], Floats] | None:
    """Dollars [n, M] of a panel's measured tokens at the router's prices; None where the router knows only dollars."""
    if router.manifest.cost_basis != TOKENS:
        return None
    return lambda panel: _priced(router, panel.input_tokens, panel.output_tokens)


def price_recorded(router: Subject) -> Callable[[Floats], Floats] | None:
    """What recorded dollars [n, M] are at the router's prices; None where it prices tokens: then they stay as they are.

    A router that knows only dollars has no other price than theirs, scaled as its book was changed since the fit.
    """
    if router.manifest.cost_basis == TOKENS:
        return None
    return lambda dollars: _scaled(router, dollars)


def trained_baselines(router: Subject, features: Features) -> TrainedBaselines:
    """What the baselines learnt at fit say of the test queries, at the router's prices of the moment."""
    observed = router.crossfit.observed
    train_cost = router.observed_cost_usd()
    estimates = router.crossfit.estimates
    knn_quality, knn_amounts = router.baselines.knn(features)
    return TrainedBaselines(
        mean_quality=known_means(observed.quality, estimates.quality, observed.weight),
        mean_cost_usd=known_means(train_cost, router.cost_usd(estimates), observed.weight),
        group_quality=router.baselines.group_quality(features) if router.manifest.uses_groups else None,
        knn_quality=knn_quality,
        knn_cost_usd=_knn_cost(router, knn_amounts),
        pair=best_pair(
            estimates,
            router.cost_usd(estimates),
            observed.quality,
            train_cost,
            router.anchors,
            router.models,
            mu_grid(PAIR_POINTS),
        ),
    )


def _knn_cost(router: Subject, amounts: Mapping[str, Floats]) -> Floats:
    if router.manifest.cost_basis == TOKENS:
        return _priced(router, amounts["input_tokens"], amounts["output_tokens"])
    return _scaled(router, amounts["cost_usd"])


def _scaled(router: Subject, dollars: Floats) -> Floats:
    unknown = np.full_like(dollars, np.nan)
    return router.pricing.cost_usd(_bare(unknown, unknown, dollars))


def _priced(router: Subject, input_tokens: Floats, output_tokens: Floats) -> Floats:
    return router.pricing.cost_usd(_bare(input_tokens, output_tokens, None))


def _bare(input_tokens: Floats, output_tokens: Floats, recorded_cost_usd: Floats | None) -> Estimates:
    """Estimates that carry amounts only, to be priced."""
    unknown = np.full_like(input_tokens, np.nan)
    return Estimates(
        quality=unknown,
        quality_sd=unknown,
        gap_sd=unknown,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        latency_s=unknown,
        recorded_cost_usd=recorded_cost_usd,
    )
