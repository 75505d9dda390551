"""Axes: monotone, inside the plot, with round ticks."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tenbin.report.numbers import Numbers
from tenbin.report.scale import linear, logarithmic, tick_decimals

AMOUNTS = st.floats(1e-6, 1e6)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.booleans())
def test_more_is_never_further_left_and_never_outside(low: float, high: float, a: float, b: float, log: bool) -> None:
    assume(low < high)
    scale = (logarithmic if log else linear)(low, high, 40.0, 800.0)
    small, large = sorted((a, b))
    assert 40.0 - 1e-6 <= scale(small) <= scale(large) <= 800.0 + 1e-6


@given(AMOUNTS, st.floats(1.01, 1e5), st.booleans())
def test_ticks_lie_on_the_axis_and_are_few(low: float, factor: float, log: bool) -> None:
    scale = (logarithmic if log else linear)(low, low * factor, 0.0, 100.0)
    ticks = scale.ticks(6)
    assert ticks == sorted(ticks)
    assert len(ticks) <= 13
    assert all(scale.low * 0.998 <= tick <= scale.high * 1.002 for tick in ticks)


def test_ticks_are_written_as_what_they_are() -> None:
    ticks = linear(0.64, 0.765, 0.0, 1.0).ticks(6)
    assert ticks == pytest.approx([0.65, 0.675, 0.7, 0.725, 0.75])
    assert tick_decimals(ticks) == 3
    assert [Numbers("en").tick_percent(tick, 3) for tick in ticks] == ["65.0%", "67.5%", "70.0%", "72.5%", "75.0%"]
    assert tick_decimals([0.7, 0.75]) == 2
    assert tick_decimals([100.0, 200.0]) == 0


def test_round_ticks() -> None:
    assert linear(0.61, 0.89, 0.0, 1.0).ticks(6) == pytest.approx([0.65, 0.7, 0.75, 0.8, 0.85])
    assert logarithmic(0.9, 11.0, 0.0, 1.0).ticks(4) == pytest.approx([1.0, 2.0, 3.0, 5.0, 10.0])


@pytest.mark.parametrize("value", [0.0, 0.5, 12.0])
def test_a_range_of_no_width_can_be_drawn(value: float) -> None:
    for scale in (linear(value, value, 0.0, 10.0), logarithmic(value, value, 0.0, 10.0)):
        assert math.isfinite(scale(value))
