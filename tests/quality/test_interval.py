"""Student's t as tables have it."""

from __future__ import annotations

import math

import pytest

from tenbin.quality.interval import t_interval, t_quantile


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.975, 1, 12.7062), (0.975, 4, 2.77645), (0.975, 9, 2.26216), (0.95, 30, 1.69726), (0.975, 1e6, 1.95997),
     (0.025, 9, -2.26216), (0.3, 9, -0.54348), (0.5, 3, 0.0), (0.995, 2.5, 7.16373)],
)  # fmt: skip
def test_quantiles_of_students_t(probability: float, freedom: float, expected: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(expected, rel=2e-4, abs=1e-9)


def test_without_degrees_of_freedom_there_is_no_interval() -> None:
    found = t_interval(0.5, 0.01, 0.0)
    assert found.value == 0.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("tail", [1e-3, 1e-6, 1e-9])
def test_quantiles_far_out_have_closed_forms(tail: float) -> None:
    above = 1.0 - tail
    assert t_quantile(above, 1.0) == pytest.approx(1.0 / math.tan(math.pi * (1.0 - above)), rel=1e-6)
    assert t_quantile(above, 2.0) == pytest.approx(
        (2.0 * above - 1.0) / math.sqrt(2.0 * above * (1.0 - above)), rel=1e-6
    )


def test_the_interval_reaches_as_far_to_both_sides() -> None:
    found = t_interval(0.5, 0.01, 4.0)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - 0.277645, 0.5 + 0.277645), abs=1e-6)
    half = t_interval(0.5, 0.01, 0.5)
    assert half.high - 0.5 == pytest.approx(0.1 * t_quantile(0.975, 0.5))
    certain = t_interval(0.5, -1e-20, 4.0)  # a variance of nothing, but for rounding
    assert (certain.low, certain.high) == (0.5, 0.5)
    assert math.isnan(t_interval(0.5, math.inf, 4.0).low)
