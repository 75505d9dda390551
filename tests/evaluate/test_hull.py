"""The hull bounds every point, is concave and rising, and forgets order and dominated points; its areas are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.evaluate.hull import COST_FLOOR_USD, upper_hull

costs = st.floats(0.0, 0.1, allow_nan=False)
qualities = st.floats(0.0, 1.0, allow_nan=False)
points = st.lists(st.tuples(costs, qualities), min_size=1, max_size=30)


def hull_of(pairs: list[tuple[float, float]]):
    return upper_hull([c for c, _ in pairs], [q for _, q in pairs])


@given(points)
def test_no_point_lies_above(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    for cost, quality in pairs:
        assert hull.height(cost) >= quality - 1e-9


@given(points)
def test_it_rises_ever_more_slowly(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    cost, quality = np.diff(hull.cost_usd), np.diff(hull.quality)
    assert (cost > 0.0).all()
    assert (quality > 0.0).all()
    # Cross products instead of slopes: steps of 1e-300 dollars have none.
    assert (quality[1:] * cost[:-1] <= quality[:-1] * cost[1:] + 1e-12).all()


@given(points)
def test_its_vertices_are_points(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    assert set(zip(hull.cost_usd, hull.quality, strict=True)) <= set(pairs)
    assert hull.quality[-1] == max(q for _, q in pairs)
    assert hull.cost_usd[0] == min(c for c, _ in pairs)


@given(points, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs: list[tuple[float, float]], random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert hull_of(shuffled) == hull_of(pairs)


@given(points, st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_a_dominated_point_changes_nothing(
    pairs: list[tuple[float, float]], pick: float, dearer: float, worse: float
) -> None:
    cost, quality = pairs[int(pick * (len(pairs) - 1))]
    assert hull_of([*pairs, (cost + dearer, quality - worse)]) == hull_of(pairs)


@given(points, costs, costs)
def test_areas_agree_with_quadrature(pairs: list[tuple[float, float]], one: float, other: float) -> None:
    low, high = sorted((one, other))
    hull = hull_of(pairs)
    x = np.linspace(low, high, 4001)
    middle = (x[1:] + x[:-1]) / 2.0
    # A step of the grid may hide a vertex: the error is bounded by the rise within one step.
    assert hull.mean_height(low, high) == pytest.approx(float(hull.height(middle).mean()), abs=1e-3)
    z = np.geomspace(max(low, COST_FLOOR_USD), max(high, COST_FLOOR_USD), 4001)
    middle = np.sqrt(z[1:] * z[:-1])
    assert hull.mean_height_log(low, high) == pytest.approx(float(hull.height(middle).mean()), abs=1e-2)


def test_the_log_area_is_exact_on_one_piece() -> None:
    hull = upper_hull([1.0, math.e], [0.0, math.e - 1.0])
    # y = x - 1 on [1, e]: the integral of (x - 1) / x is (e - 1) - 1, over a range of ln e = 1.
    assert hull.mean_height_log(1.0, math.e) == pytest.approx(math.e - 2.0, abs=1e-14)


def test_free_models_are_lifted_to_the_floor() -> None:
    hull = upper_hull([0.0, 1e-3], [0.5, 0.9])
    assert hull.mean_height_log(0.0, 1e-3) == hull.mean_height_log(COST_FLOOR_USD, 1e-3)
    assert hull.mean_height(0.0, 1e-3) == pytest.approx(0.7)


def test_a_range_of_one_point_is_the_height_there() -> None:
    hull = upper_hull([0.002], [0.8])
    assert hull.mean_height(0.002, 0.002) == 0.8
    assert hull.mean_height_log(0.0, 0.0) == 0.8


def test_cost_at_reads_between_vertices_and_knows_its_limits() -> None:
    hull = upper_hull([1.0, 3.0], [0.5, 0.9])
    assert hull.cost_at(0.7) == pytest.approx(2.0)
    assert hull.cost_at(0.1) == 1.0
    assert math.isnan(hull.cost_at(0.91))
    assert math.isnan(hull.cost_at(math.nan))
