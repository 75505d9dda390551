"""The rule: hand-worked losses, tie-breaking, invariances; each test fails if the formula of risk.py changes."""

from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tenbin.errors import UsageError
from tenbin.risk import (
    CREDIBLE_SD,
    Anchors,
    cautious_quality,
    check_trade_off,
    choose,
    losses,
    mu_grid,
    name_order,
)
from tenbin.types import Estimates, TradeOff

ANCHORS = Anchors("large", c_ref_usd=0.02, t_ref_s=4.0)
UNIT = st.floats(0.0, 1.0, allow_nan=False)
FIXES = {"mu": "mu between 0 and 1", "w": "w between 0 and 1", "caution": "caution of 0 or more"}


def estimates(quality, sd=None, gap=None):
    quality = np.asarray(quality, dtype=float)
    zero = np.zeros_like(quality)
    return Estimates(quality, zero if sd is None else sd, zero if gap is None else gap, zero, zero, zero)


def test_loss_is_the_formula_worked_by_hand():
    quality, cost, seconds = np.array([[0.9, 0.7]]), np.array([[0.02, 0.001]]), np.array([[4.0, 1.0]])
    loss = losses(quality, cost, seconds, TradeOff(mu=0.25, w=0.4), ANCHORS)
    # .75 * .1 + .25 * (.6 * 1 + .4 * 1) = .325 ; .75 * .3 + .25 * (.6 * .05 + .4 * .25) = .2575
    np.testing.assert_allclose(loss, [[0.325, 0.2575]], rtol=0, atol=1e-12)


def test_seconds_do_not_matter_at_w_0_even_when_unknown():
    loss = losses(np.array([[0.5]]), np.array([[0.01]]), np.array([[np.nan]]), TradeOff(0.5), ANCHORS)
    np.testing.assert_allclose(loss, [[0.5]])


def test_w_trades_seconds_as_the_formula_says():
    """Equal quality: the faster dearer one wins exactly when w dt / t_ref > (1 - w) dc / c_ref."""
    quality, cost, seconds = np.array([[0.8, 0.8]]), np.array([[0.010, 0.012]]), np.array([[3.0, 2.0]])
    turning = (0.002 / 0.02) / (0.002 / 0.02 + 1.0 / 4.0)
    for w, winner in ((turning - 0.01, 0), (turning + 0.01, 1)):
        loss = losses(quality, cost, seconds, TradeOff(0.5, w), ANCHORS)
        assert choose(loss, cost, name_order(("a", "b")))[0] == winner


def test_ties_go_to_the_cheaper_then_to_the_name():
    loss = np.array([[0.3, 0.3 + 4e-10, 0.3], [0.3, 0.3, 0.3]])
    cost = np.array([[0.2, 0.1, 0.3], [0.1, 0.1, 0.1]])
    assert choose(loss, cost, name_order(("c", "b", "a"))).tolist() == [1, 2]


@settings(max_examples=100)
@given(UNIT)
def test_a_difference_above_the_rounding_decides(least):
    assert choose(np.array([[least + 1.001e-9, least]]), np.array([[0.0, 9.0]]), name_order(("a", "b")))[0] == 1


def test_nan_and_ineligible_candidates_never_win():
    loss, cost = np.array([[np.nan, 0.1, 0.2]]), np.zeros((1, 3))
    assert choose(loss, cost, name_order(("a", "b", "c")))[0] == 1
    assert choose(loss, cost, name_order(("a", "b", "c")), np.array([[True, False, True]]))[0] == 2
    worst, free = np.array([[np.nan, np.inf], [0.1, np.inf]]), np.array([[0.0, 9.0], [0.0, 9.0]])
    assert choose(worst[:1], free[:1], name_order(("a", "b")))[0] == 1
    assert choose(worst, free, name_order(("a", "b")), np.array([[True, True], [False, True]])).tolist() == [1, 1]
    assert choose(worst[:1], np.array([[0.0, np.inf]]), name_order(("a", "b")))[0] == 1


def test_ranks_are_whole_numbers():
    assert name_order(("c", "a", "b")).tolist() == [2, 0, 1]
    assert name_order(()).dtype == name_order(("a",)).dtype == np.int64


@settings(max_examples=100)
@given(arrays(float, (4, 5), elements=UNIT), arrays(float, (4, 5), elements=UNIT), UNIT, st.permutations(range(5)))
def test_order_of_candidates_never_changes_a_decision(quality, cost, mu, order):
    names = ("e", "d", "c", "b", "a")
    order = np.array(order)
    loss = losses(quality, cost, cost, TradeOff(mu), ANCHORS)
    chosen = choose(loss, cost, name_order(names))
    shuffled = tuple(names[i] for i in order)
    again = choose(loss[:, order], cost[:, order], name_order(shuffled))
    assert [names[i] for i in chosen] == [shuffled[i] for i in again]


@settings(max_examples=100)
@given(arrays(float, (6, 4), elements=UNIT), arrays(float, (6, 4), elements=UNIT))
def test_more_mu_never_costs_more(quality, cost):
    rank = name_order(("a", "b", "c", "d"))
    spent = [
        cost[np.arange(6), choose(losses(quality, cost, cost, TradeOff(float(mu)), ANCHORS), cost, rank)]
        for mu in mu_grid(25)
    ]
    assert all((after <= before + 1e-6).all() for before, after in pairwise(spent))


@settings(max_examples=100)
@given(arrays(float, (3, 4), elements=UNIT), UNIT, st.floats(0.01, 100.0))
def test_scaling_all_prices_with_the_anchor_changes_nothing(quality, mu, factor):
    cost = np.linspace(0.001, 0.02, 12).reshape(3, 4)
    scaled = Anchors("large", ANCHORS.c_ref_usd * factor, ANCHORS.t_ref_s)
    np.testing.assert_allclose(
        losses(quality, cost, cost, TradeOff(mu), ANCHORS), losses(quality, cost * factor, cost, TradeOff(mu), scaled)
    )


def test_ends_of_the_dial():
    quality, cost = np.array([[0.9, 0.8, 0.2]]), np.array([[0.02, 0.01, 0.001]])
    rank = name_order(("a", "b", "c"))
    assert choose(losses(quality, cost, cost, TradeOff(0.0), ANCHORS), cost, rank)[0] == 0
    assert choose(losses(quality, cost, cost, TradeOff(1.0), ANCHORS), cost, rank)[0] == 2


def test_caution_takes_standard_deviations_of_the_gap_and_spares_the_reference():
    of = estimates([[0.7, 0.75]], gap=np.array([[0.0, 0.1]]))
    np.testing.assert_allclose(cautious_quality(of, TradeOff(0.1, caution=2.0)), [[0.7, 0.55]])
    np.testing.assert_allclose(cautious_quality(of, TradeOff(0.1, caution=1.0)), [[0.7, 0.65]])
    unknown = estimates([[0.7, 0.75]], gap=np.full((1, 2), np.nan))
    assert cautious_quality(unknown, TradeOff(0.1)).tolist() == [[0.7, 0.75]]


def test_minimax_takes_the_lower_end_of_each_credible_set():
    sd = np.array([[0.05, 0.9]])
    got = cautious_quality(estimates([[0.7, 0.75]], sd=sd), TradeOff(0.1, minimax=True))
    np.testing.assert_allclose(got, [[0.7 - CREDIBLE_SD * 0.05, 0.0]])
    assert pytest.approx(NormalDist().inv_cdf(0.95)) == CREDIBLE_SD


def test_mu_grid_has_logarithmic_odds_and_both_ends():
    mus = mu_grid(9)
    assert mus[0] == 0.0
    assert mus[-1] == 1.0
    np.testing.assert_allclose(np.log10(mus[1:-1] / (1 - mus[1:-1])), np.linspace(-3, 3, 7), atol=1e-9)


def test_dials_outside_their_range_are_refused_by_name_and_their_ends_are_not():
    for good in (TradeOff(0.0), TradeOff(1.0, w=1.0), TradeOff(0.6, w=0.6, caution=0.3), TradeOff(0.5, caution=1e9)):
        check_trade_off(good)
    for name, values in {"mu": (-0.1, 1.1, np.nan), "w": (-0.1, 1.1), "caution": (-1.0, np.inf, np.nan)}.items():
        for value in values:
            with pytest.raises(UsageError, match=f"^{name} = {value} is .*; give {FIXES[name]}$"):
                check_trade_off(replace(TradeOff(0.5), **{name: value}))


def test_a_sweep_needs_an_inside():
    assert mu_grid(3).size == 3
    with pytest.raises(UsageError, match=r"^a sweep of 2 points has no inside; ask for 3 or more$"):
        mu_grid(2)
