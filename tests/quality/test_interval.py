"""Student's t as tables have it."""

from __future__ import annotations

import math

import pytest

from tenbin.quality.interval import t_interval, t_quantile


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.975, 1, 12.7062), (0.975, 4, 2.77645), (0.975, 9, 2.26216), (0.95, 30, 1.69726), (0.975, 1e6, 1.95997),
     (0.025, 9, -2.26216), (0.5, 3, 0.0), (0.995, 2.5, 7.16373)],
)  # fmt: skip
def test_quantiles_of_students_t(probability: float, freedom: float, expected: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(expected, rel=2e-4, abs=1e-9)


def test_without_degrees_of_freedom_there_is_no_interval() -> None:
    found = t_interval(0.5, 0.01, 0.0)
    assert found.value == 0.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)
