"""Dials read off a known curve."""

import numpy as np
import pytest

from tenbin.errors import DecisionError, UsageError
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import DEFAULT_MIN_QUALITY, Dial, turn

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
        (Dial(max_cost_usd=0.0101), 0.2),
        (Dial(max_cost_usd=0.004), 0.6),
        (Dial(), 0.2),
    ],
)
def test_a_dial_takes_the_cheapest_or_the_best_point_that_keeps_its_promise(dial, mu):
    assert turn(dial, CURVE).mu == mu


def test_the_rest_of_the_dial_is_carried():
    trade_off = turn(Dial(min_quality=0.98, w=0.3, caution=1.5), CURVE)
    assert (trade_off.w, trade_off.caution) == (0.3, 1.5)


def test_a_promise_that_nothing_keeps_names_what_can_be_had():
    with pytest.raises(DecisionError, match="the best reaches 101"):
        turn(Dial(min_quality=1.2), CURVE)
    with pytest.raises(DecisionError, match=r"the cheapest costs 0\.001"):
        turn(Dial(max_cost_usd=0.0005), CURVE)


@pytest.mark.parametrize("dial", [Dial(mu=0.1, best=True), Dial(mu=2.0), Dial(min_quality=-1), Dial(max_cost_usd=0.0)])
def test_dials_that_make_no_sense(dial):
    with pytest.raises(UsageError):
        dial.check()


def test_the_default_promise_is_the_documented_one():
    assert DEFAULT_MIN_QUALITY == 0.99
