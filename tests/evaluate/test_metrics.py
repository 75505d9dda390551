"""The worked example of the metrics, value by value, and the figures that it does not hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.evaluate.metrics import FIGURES, apgr, arena_score, cost_share, curve_hull, figures_of, scale_of

SMALL, MID, LARGE, DOMINATED = range(4)
SINGLE_COST = np.array([0.001, 0.004, 0.02, 0.01])
SINGLE_QUALITY = np.array([0.6, 0.7, 0.8, 0.65])
CURVE_COST = np.array([0.002, 0.005, 0.012, 0.02])
CURVE_QUALITY = np.array([0.66, 0.76, 0.81, 0.8])
EXACT = 1e-9
"""The expected areas of the worked example were integrated numerically, to about 1e-12."""


@pytest.fixture
def figures() -> dict[str, float]:
    scale = scale_of(SINGLE_QUALITY, SINGLE_COST)
    return dict(zip(FIGURES, figures_of(CURVE_COST, CURVE_QUALITY, scale), strict=True))


def test_the_zero_router_of_the_worked_example() -> None:
    scale = scale_of(SINGLE_QUALITY, SINGLE_COST)
    assert (scale.low_usd, scale.high_usd) == (0.001, 0.02)
    assert (scale.cheapest, scale.best) == (SMALL, LARGE)
    assert scale.zero.cost_usd == (0.001, 0.004, 0.02)
    assert scale.zero.quality == (0.6, 0.7, 0.8)
    assert scale.zero.mean_height(0.001, 0.02) == pytest.approx(0.734210526315638, abs=EXACT)
    assert scale.zero.mean_height_log(0.001, 0.02) == pytest.approx(0.6916296939545159, abs=EXACT)
    assert cost_share(scale.zero, 0.97, scale) == pytest.approx(0.808)


def test_the_curve_of_the_worked_example(figures: dict[str, float]) -> None:
    hull = curve_hull(CURVE_COST, CURVE_QUALITY, scale_of(SINGLE_QUALITY, SINGLE_COST))
    assert hull.cost_usd == (0.001, 0.002, 0.005, 0.012)
    assert hull.quality == (0.6, 0.66, 0.76, 0.81)
    assert figures["aiq"] == pytest.approx(0.7755263157886966, abs=EXACT)
    assert figures["aiq_log"] == pytest.approx(0.7263077498529539, abs=EXACT)
    assert figures["qnc"] == pytest.approx(0.53)
    assert figures["cost_at_97"] == pytest.approx(0.362)
    assert figures["peak_quality"] == 0.81
    assert math.isnan(figures["apgr"])


def test_a_curve_that_stays_below_has_no_neutral_cost() -> None:
    scale = scale_of(SINGLE_QUALITY, SINGLE_COST)
    worse = dict(zip(FIGURES, figures_of(CURVE_COST, CURVE_QUALITY - 0.03, scale), strict=True))
    assert math.isnan(worse["qnc"])
    assert worse["cost_at_97"] > 0.362


def test_of_equally_good_models_the_cheapest_is_the_best() -> None:
    assert scale_of(np.array([0.8, 0.6, 0.8]), np.array([0.02, 0.001, 0.01])).best == 2


def test_free_best_model_has_no_cost_share() -> None:
    scale = scale_of(np.array([0.6, 0.8]), np.array([0.001, 0.0]))
    assert math.isnan(cost_share(scale.zero, 1.0, scale))


def test_ties_go_to_the_better_and_to_the_cheaper() -> None:
    scale = scale_of(np.array([0.5, 0.7, 0.7]), np.array([0.001, 0.001, 0.004]))
    assert (scale.cheapest, scale.best) == (1, 1)


def test_apgr_of_blind_mixing_is_one_half() -> None:
    scale = scale_of(np.array([0.4, 0.8]), np.array([0.001, 0.01]))
    share = np.array([0.75, 0.25, 0.5])
    assert apgr(0.4 + 0.4 * share, share, scale) == pytest.approx(0.5)


def test_apgr_of_a_router_that_needs_half_the_calls() -> None:
    scale = scale_of(np.array([0.4, 0.8]), np.array([0.001, 0.01]))
    # All the gap at half of the calls: a triangle of 1/4, then a rectangle of 1/2.
    assert apgr(np.array([0.8]), np.array([0.5]), scale) == pytest.approx(0.75)


def test_apgr_needs_two_models_that_differ() -> None:
    share = np.array([0.5])
    with np.errstate(all="raise"):
        assert math.isnan(apgr(share, share, scale_of(SINGLE_QUALITY, SINGLE_COST)))
        assert math.isnan(apgr(share, share, scale_of(np.array([0.5, 0.5]), np.array([1.0, 2.0]))))


def test_arena_score_of_the_published_row() -> None:
    assert arena_score(0.6721, 2.06 / 1000.0) == pytest.approx(63.87, abs=0.005)
    for cost_usd in (0.0, 0.001 / 1000.0, 0.0044 / 1000.0):
        assert arena_score(0.5, cost_usd) == pytest.approx(110.0 * 0.5 / 1.05)
    assert arena_score(0.5, 0.005 / 1000.0) < 110.0 * 0.5 / 1.05
    assert arena_score(0.5, 0.2) == arena_score(0.5, 1.0) == 0.0
    assert arena_score(1.0, 0.3) == arena_score(0.0, 1.0) == 0.0
