"""Means over training rows: labels stand for those that were not bought, and never for more cells than there are."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.risk import Anchors
from tenbin.router.crossfit import Crossfit, DialCurve, Observed, column_means, dial_curve, doubly_robust
from tenbin.types import Estimates, Floats, TradeOff

MODELS = ("cheap", "dear")


def crossfit(quality: Floats, cost_usd: Floats, propensity: Floats, guess: Floats) -> Crossfit:
    unknown = np.full_like(guess, np.nan)
    estimates = Estimates(guess, 0.0 * guess, 0.0 * guess, unknown, unknown, unknown, np.full_like(guess, 1.0))
    return Crossfit(estimates, Observed(quality, unknown, unknown, cost_usd, unknown, 1.0 / propensity))


def curve(of: Crossfit) -> DialCurve:
    cost = of.observed.cost_usd
    everyone = np.ones(2, dtype=np.bool_)
    return dial_curve(of, np.ones_like(cost), cost, MODELS, Anchors("dear", 1.0, np.nan), TradeOff(0.0), everyone, 5)


def drawn(n: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    guess = rng.random((n, 2))
    return (rng.random((n, 2)) < guess).astype(float), rng.lognormal(0.0, 0.5, (n, 2)), guess


@pytest.mark.parametrize("sampled", [0.01, 0.3])
def test_rows_that_were_all_sampled_alike_say_what_they_say(sampled: float) -> None:
    quality, cost, guess = drawn(200)
    one, few = (curve(crossfit(quality, cost, np.full((200, 2), p), guess)) for p in (1.0, sampled))
    assert few.quality == pytest.approx(one.quality)
    assert few.cost_usd == pytest.approx(one.cost_usd)
    assert few.reference_quality == pytest.approx(quality[:, 1].mean())


def test_rows_that_were_sampled_unlike_count_for_those_that_were_not_drawn() -> None:
    quality, cost, guess = drawn(200)
    propensity = np.where(np.arange(200) < 100, 0.02, 1.0)[:, None].repeat(2, axis=1)
    found = curve(crossfit(quality, cost, propensity, guess))
    assert found.reference_quality == pytest.approx(column_means(quality, 1.0 / propensity)[1])
    assert found.reference_cost_usd == pytest.approx(column_means(cost, 1.0 / propensity)[1])


def test_dollars_that_are_known_throughout_are_what_they_are_however_few_labels_were_bought() -> None:
    quality, cost, guess = drawn(2000)
    few = np.where(np.random.default_rng(1).random(quality.shape) < 0.1, quality, np.nan)
    found = curve(crossfit(few, cost, np.full((2000, 2), 0.1), guess))
    assert found.reference_cost_usd == pytest.approx(cost[:, 1].mean())
    assert found.reference_quality == pytest.approx(quality[:, 1].mean(), abs=0.1)


def test_labels_stand_for_those_that_were_not_bought_and_for_no_more() -> None:
    estimate = np.full((4, 1), 0.5)
    observed = np.array([[1.0], [0.0], [np.nan], [np.nan]])
    half = doubly_robust(estimate, observed, np.full((4, 1), 2.0))
    assert half[:, 0] == pytest.approx([1.5, -0.5, 0.5, 0.5])
    rare = doubly_robust(estimate, observed, np.full((4, 1), 100.0))
    assert rare == pytest.approx(half)
    sure = doubly_robust(estimate, observed, np.ones((4, 1)))
    assert sure[:, 0] == pytest.approx([1.0, 0.0, 0.5, 0.5])
