"""How the router's curve grows with training rows: the ground for "collect about n more prompts"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.outcomes.identity import prompt_key
from tenbin.risk import Anchors
from tenbin.router.crossfit import Crossfit, column_means, dial_curve
from tenbin.router.pricing import Pricing, labelled_rows
from tenbin.router.train import MakePredictor, observe, train
from tenbin.types import Bools, Features, Floats, Ints, Panel, Progress, TradeOff, silent

SHARES_OF_ROWS = (0.125, 0.25, 0.5)
LEAST_ROWS = 25
MOST_ROWS = 8_000
MOST_HELD_OUT = 4_000
POINTS = 61


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The dial curve at several training sizes, measured on rows that the fit of that size did not see.

    `n_rows` [k] training rows; `mu` [p]; `quality` and `cost_usd` [k, p] means on the held-out rows; `single_quality`
    and `single_cost_usd` [k, M] each candidate's own means on the same rows. The last size is the whole, out of fold.
    """

    n_rows: Ints
    mu: Floats
    quality: Floats
    cost_usd: Floats
    single_quality: Floats
    single_cost_usd: Floats

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in LearningCurve.__slots__}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> LearningCurve:
        """The learning curve of saved arrays."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def nested_sizes(n: int) -> list[int]:
    """The training sizes to refit at, smallest first: halvings of n, not too small to fit nor too dear."""
    sizes = {min(int(n * share), MOST_ROWS) for share in SHARES_OF_ROWS}
    return sorted(size for size in sizes if size >= LEAST_ROWS and n - size >= LEAST_ROWS)


def measure_learning_curve(
    make: MakePredictor,
    features: Features,
    panel: Panel,
    folds: Ints,
    pricing: Pricing,
    anchors: Anchors,
    crossfit: Crossfit,
    seed: int,
    report: Progress,
) -> LearningCurve:
    """Refit on nested subsets, decide on rows that each refit did not see; the whole comes from `crossfit`."""
    order = np.argsort([prompt_key(query) for query in panel.queries], kind="stable")
    sizes = nested_sizes(len(panel))
    reference = panel.models.index(anchors.reference)
    points = []
    for step, size in enumerate(sizes):
        report("learning curve", step / len(sizes))
        inside, outside = order[:size], order[size : size + MOST_HELD_OUT]
        if np.isnan(panel.quality[inside]).all(axis=0).any():
            continue
        estimator, _ = train(
            make, features.take(inside), panel.take(inside), folds[inside], pricing.basis, reference, seed, silent
        )
        held_out = Crossfit(estimator.estimate(features.take(outside)), observe(panel.take(outside)))
        fewer = replace(pricing, rows=labelled_rows(panel.quality[inside]))
        points.append((size, *_curve_of(held_out, panel.models, fewer, anchors)))
    points.append((len(panel), *_curve_of(crossfit, panel.models, pricing, anchors)))
    report("learning curve", 1.0)
    n_rows, mu, quality, cost, single_quality, single_cost = zip(*points, strict=True)
    return LearningCurve(
        n_rows=np.array(n_rows, dtype=np.int64),
        mu=mu[0],
        quality=np.array(quality),
        cost_usd=np.array(cost),
        single_quality=np.array(single_quality),
        single_cost_usd=np.array(single_cost),
    )


def _curve_of(
    crossfit: Crossfit, models: tuple[str, ...], pricing: Pricing, anchors: Anchors
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    cost, observed = pricing.expected_cost_usd(crossfit.estimates), pricing.observed_cost_usd(crossfit.observed)
    everyone: Bools = np.ones(len(models), dtype=np.bool_)
    curve = dial_curve(crossfit, cost, observed, models, anchors, TradeOff(0.0), everyone, POINTS)
    singles = (
        column_means(crossfit.observed.quality, crossfit.observed.weight),
        column_means(observed, crossfit.observed.weight),
    )
    return curve.mu, curve.quality, curve.cost_usd, *singles
