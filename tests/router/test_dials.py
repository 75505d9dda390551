"""Dials read off a known curve."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import DecisionError, UsageError
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import DEFAULT_MIN_QUALITY, Dial, spelt_out, turn
from tenbin.types import TradeOff

CURVE = DialCurve(
    mu=np.array([0.0, 0.2, 0.4, 0.6, 1.0]),
    quality=np.array([0.81, 0.80, 0.79, 0.70, 0.50]),
    cost_usd=np.array([0.012, 0.010, 0.005, 0.002, 0.001]),
    reference_quality=0.80,
    reference_cost_usd=0.02,
)


@pytest.mark.parametrize(
    ("dial", "mu"),
    [
        (Dial(mu=0.33), 0.33),
        (Dial(best=True), 0.0),
        (Dial(min_quality=1.0), 0.2),
        (Dial(min_quality=0.98), 0.4),
        (Dial(min_quality=0.5), 1.0),
        (Dial(max_cost_usd=0.010), 0.2),
        (Dial(max_cost_usd=0.004), 0.6),
        (Dial(), 0.2),
    ],
)
def test_a_dial_takes_the_cheapest_or_the_best_point_that_keeps_its_promise(dial, mu):
    assert turn(dial, CURVE).mu == mu


def test_the_rest_of_the_dial_is_carried():
    assert turn(Dial(min_quality=0.98, w=0.3, caution=1.5), CURVE) == TradeOff(0.4, 0.3, 1.5)
    assert turn(Dial(min_quality=0.98, minimax=True), CURVE) == TradeOff(0.4, minimax=True)
    assert turn(Dial(), CURVE) == TradeOff(0.2)


def test_a_promise_that_nothing_keeps_names_what_can_be_had():
    with pytest.raises(DecisionError, match="the best reaches 101"):
        turn(Dial(min_quality=1.2), CURVE)
    with pytest.raises(DecisionError, match=r"the cheapest costs 0\.001"):
        turn(Dial(max_cost_usd=0.0005), CURVE)


WEAK = replace(CURVE, quality=CURVE.quality * 0.977)  # what is left where the best model is denied


def test_where_nothing_was_asked_the_most_that_can_be_had_is_no_error():
    assert spelt_out(Dial(w=0.2), WEAK) == Dial(min_quality=0.989, w=0.2)  # 0.81 x 0.977 / 0.80, rounded down
    assert turn(Dial(), WEAK).mu == 0.0
    with pytest.raises(DecisionError, match=r"ask for at most 0\.989"):
        turn(Dial(min_quality=0.99), WEAK)
    assert turn(Dial(min_quality=0.989), WEAK).mu == 0.0
    just = replace(CURVE, quality=CURVE.quality / 0.81 * 0.72)
    assert spelt_out(Dial(), just).min_quality == 0.9  # .72 / .80, not a tenth of a per cent less


def test_where_nothing_was_asked_and_it_can_be_kept_it_is_99_per_cent():
    assert spelt_out(Dial(), CURVE) == Dial(min_quality=DEFAULT_MIN_QUALITY)
    assert spelt_out(Dial(mu=0.4), WEAK) == Dial(mu=0.4)
    assert spelt_out(Dial(best=True), WEAK) == Dial(best=True)


@settings(max_examples=100)
@given(best=st.floats(0.0, 2.0), reference=st.floats(0.01, 1.0))
def test_what_is_named_as_the_most_can_be_had(best, reference):
    curve = replace(CURVE, quality=CURVE.quality / 0.81 * best * reference, reference_quality=reference)
    dial = spelt_out(Dial(), curve)
    dial.check()
    turn(dial, curve)


def test_a_reference_that_is_always_wrong_is_always_reached():
    assert turn(Dial(), replace(CURVE, reference_quality=0.0)).mu == 1.0


@pytest.mark.parametrize(
    "dial",
    [Dial(mu=2.0), *(Dial(min_quality=r) for r in (-1.0, 0.0, 2.01)), *(Dial(max_cost_usd=c) for c in (0.0, np.inf))],
)
def test_dials_that_make_no_sense(dial):
    with pytest.raises(UsageError):
        dial.check()


def test_two_dials_for_one_thing_are_named_and_the_ends_of_one_are_not_refused():
    for good in (Dial(mu=0.0), Dial(mu=1.0), Dial(min_quality=2.0), Dial(max_cost_usd=5.0), Dial(best=True), Dial()):
        good.check()
    ends = {"--mu": Dial(mu=0.1), "--min-quality": Dial(min_quality=0.9), "--max-cost": Dial(max_cost_usd=1.0)}
    for name, dial in ends.items():
        with pytest.raises(UsageError, match=f"^{name} and --best are two dials for one thing"):
            replace(dial, best=True).check()


def test_the_default_promise_is_the_documented_one():
    assert DEFAULT_MIN_QUALITY == 0.99
