"""The hull bounds every point, is concave and rising, and forgets order and dominated points; its areas are exact."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenbin.evaluate.hull import COST_FLOOR_USD, SAME_COST, Hull, upper_hull

costs = st.floats(0.0, 0.1, allow_nan=False)
qualities = st.floats(0.0, 1.0, allow_nan=False)
# Between costs 1e-300 apart there is no slope and hence no height to integrate.
payable = costs.map(lambda cost: cost if cost > 1e-200 else 0.0)
points = st.lists(st.tuples(costs, qualities), min_size=1, max_size=30)


def hull_of(pairs: list[tuple[float, float]]):
    return upper_hull([c for c, _ in pairs], [q for _, q in pairs])


@example([(1.0, 0.0), (2.0, 0.9), (3.0, 1.0)])
@settings(max_examples=100)
@given(points)
def test_no_point_lies_above(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    for cost, quality in pairs:
        assert hull.height(cost) >= quality - 1e-9


@example([(5.0, 0.1), (6.0, 0.4), (7.0, 1.0)])
@settings(max_examples=100)
@given(points)
def test_it_rises_ever_more_slowly(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    cost, quality = np.diff(hull.cost_usd), np.diff(hull.quality)
    assert (cost > 0.0).all()
    assert (quality > 0.0).all()
    # Cross products instead of slopes: steps of 1e-300 dollars have none.
    assert (quality[1:] * cost[:-1] <= quality[:-1] * cost[1:] + 1e-12).all()


@settings(max_examples=100)
@given(points)
def test_its_vertices_are_points(pairs: list[tuple[float, float]]) -> None:
    hull = hull_of(pairs)
    assert set(zip(hull.cost_usd, hull.quality, strict=True)) <= set(pairs)
    assert hull.quality[-1] == max(q for _, q in pairs)
    assert hull.cost_usd[0] == min(c for c, _ in pairs)


@settings(max_examples=100)
@given(points, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs: list[tuple[float, float]], random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert hull_of(shuffled) == hull_of(pairs)


@settings(max_examples=100)
@given(points, st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_a_dominated_point_changes_nothing(
    pairs: list[tuple[float, float]], pick: float, dearer: float, worse: float
) -> None:
    cost, quality = pairs[int(pick * (len(pairs) - 1))]
    assert hull_of([*pairs, (cost + dearer, quality - worse)]) == hull_of(pairs)


def mean_between_vertices(hull: Hull, low: float, high: float, log: bool) -> float:
    """The mean height by Gauss-Legendre quadrature on every stretch without a vertex, where the height is smooth."""
    ends = np.array([low, *(x for x in hull.cost_usd if low < x < high), high])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    areas, widths = [], []
    for left, right in pairwise(ends):
        width = np.log1p((right - left) / left) if log else right - left
        beyond = width * (nodes + 1.0) / 2.0
        at = left + (left * np.expm1(beyond) if log else beyond)
        areas.append(width / 2.0 * (weights @ hull.height(at)) / (high - low))
        widths.append(width / (high - low))
    return math.fsum(areas) / math.fsum(widths)


@settings(max_examples=100)
@given(st.lists(st.tuples(payable, qualities), min_size=1, max_size=30), payable, payable)
def test_areas_agree_with_quadrature(pairs: list[tuple[float, float]], one: float, other: float) -> None:
    low, high = sorted((one, other))
    hull = hull_of(pairs)
    if high - low > SAME_COST * high:
        assert hull.mean_height(low, high) == pytest.approx(mean_between_vertices(hull, low, high, False), abs=1e-9)
    low, high = max(low, COST_FLOOR_USD), max(high, COST_FLOOR_USD)
    if high - low > SAME_COST * high:
        assert hull.mean_height_log(low, high) == pytest.approx(mean_between_vertices(hull, low, high, True), abs=1e-9)


def test_a_point_on_a_straight_line_is_no_vertex() -> None:
    assert hull_of([(1.0, 0.25), (2.0, 0.5), (3.0, 0.75)]) == Hull((1.0, 3.0), (0.25, 0.75))


def test_costs_a_rounding_apart_do_no_harm_to_the_log_area() -> None:
    cost = 0.0123
    above = math.nextafter(cost, 1.0)
    hull = upper_hull([cost, above], [0.1, 0.9])
    assert hull.mean_height_log(cost / 2.0, 2.0 * cost) == pytest.approx(0.5, abs=1e-12)
    assert 0.1 <= hull.mean_height_log(cost, above) <= 0.9


def test_a_range_too_narrow_for_areas_still_has_a_mean() -> None:
    assert upper_hull([0.0], [0.5]).mean_height(0.0, 5e-324) == 0.5


def test_the_log_area_is_exact_on_one_piece() -> None:
    hull = upper_hull([1.0, math.e], [0.0, math.e - 1.0])
    # y = x - 1 on [1, e]: the integral of (x - 1) / x is (e - 1) - 1, over a range of ln e = 1.
    assert hull.mean_height_log(1.0, math.e) == pytest.approx(math.e - 2.0, abs=1e-14)


def test_free_models_are_lifted_to_the_floor() -> None:
    hull = upper_hull([0.0, 1e-3], [0.5, 0.9])
    assert hull.mean_height_log(0.0, 1e-3) == hull.mean_height_log(1e-7, 1e-3)
    assert hull.mean_height(0.0, 1e-3) == pytest.approx(0.7)


def test_a_range_of_one_point_is_the_height_there() -> None:
    hull = upper_hull([0.002], [0.8])
    assert hull.mean_height(0.002, 0.002) == 0.8
    assert hull.mean_height_log(0.0, 0.0) == 0.8


@pytest.mark.parametrize("apart", [-1, 0, 1])
def test_what_costs_the_same_but_for_rounding_is_reached_at_that_cost(apart: int) -> None:
    low, beyond = 0.1, np.nextafter(0.1, 1.0)
    high = np.nextafter(low, low + apart) if apart else low
    hull = Hull((low, float(beyond)), (0.5, 0.9))
    assert hull.mean_height(low, float(high)) == hull.mean_height_log(low, float(high)) == 0.9


@example([(0.0, 0.0), (1.0, 5e-324)], 0.0)
@settings(max_examples=100)
@given(points, qualities)
def test_cost_at_is_the_hull_read_the_other_way_to_the_last_bit(pairs: list[tuple[float, float]], share: float) -> None:
    hull = hull_of(pairs)
    for quality in (share * hull.quality[-1], *hull.quality):
        assert hull.cost_at(quality) == np.interp(quality, hull.quality, hull.cost_usd)


def test_cost_at_reads_between_vertices_and_knows_its_limits() -> None:
    hull = upper_hull([1.0, 3.0], [0.5, 0.9])
    assert hull.cost_at(0.7) == pytest.approx(2.0)
    assert hull.cost_at(0.1) == 1.0
    assert hull.cost_at(0.9 + 5e-13) == 3.0  # means of the same numbers, summed otherwise
    assert math.isnan(hull.cost_at(0.91))
    assert math.isnan(hull.cost_at(math.nan))
