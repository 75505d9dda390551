"""Stakes are fair games: no null is rejected too often, and a true advantage is mostly seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tenbin.certify.bets import DETECTABLE, WEALTHS, Bets, _moved, best_growth, plan_bets
from tenbin.types import Floats

LOW = 0.95
SUPPORT = np.array([-LOW, 0.0, 1.0 - LOW, 1.0])
EXPECTED = np.array([[0.05, 0.2, 0.69, 0.06]])


@pytest.fixture(scope="module")
def bets() -> Bets:
    return plan_bets(SUPPORT, EXPECTED, 200, LOW)


@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ([-0.95, 0.0, 0.05, 1.0], [0.0809, 0.2, 0.6691, 0.0500]),  # as expected, but without the advantage
        ([-0.95, 0.05], [0.05, 0.95]),  # rare great losses: what a normal approximation certifies far too often
        ([-0.95, 0.95], [0.5, 0.5]),
        ([-0.01, 1.0], [1.0 / 1.01, 0.01 / 1.01]),  # rare great gains
        ([0.0], [1.0]),
    ],
)
def test_a_mean_of_0_is_rarely_rejected_whatever_the_distribution(
    bets: Bets, values: list[float], chances: list[float]
) -> None:
    mean = float(np.dot(values, chances))
    values_at_0 = np.array(values) - max(mean, 0.0)
    sample = np.random.default_rng(1).choice(np.maximum(values_at_0, -LOW), size=(200, 4000, 1), p=chances)
    share = bets.reach(sample, 0.05).mean()
    assert share <= 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / 4000)


def test_wealth_is_a_fair_game_at_every_stake(bets: Bets) -> None:
    """On a value of mean 0 no stake gains on average, and none can lose everything."""
    assert bets.stakes.min() >= 0.0
    assert bets.stakes.max() * LOW == pytest.approx(0.995)


def test_an_advantage_of_two_and_a_half_standard_errors_is_mostly_seen(bets: Bets) -> None:
    chance = EXPECTED[0].copy()
    spread = np.sqrt(chance @ SUPPORT**2 - (chance @ SUPPORT) ** 2)
    lacking = 2.5 * spread / np.sqrt(200) - chance @ SUPPORT
    chance[[0, 3]] += np.array([-0.5, 0.5]) * lacking / ((1.0 + LOW) / 2.0)
    sample = np.random.default_rng(2).choice(SUPPORT, size=(200, 2000, 1), p=chance / chance.sum())
    seen = bets.reach(sample, 0.05).mean()
    assert seen >= 0.65
    assert seen > bets.reach(sample, 0.01).mean()


def test_wealth_is_the_product_of_what_each_stake_brings_and_shrinks_with_more_rounds_than_are_planned() -> None:
    """Three rounds are planned, at stakes of .4, .5 and .6; with k of them left it is .6 times the root of 3 / k."""
    plan = Bets(np.array([1, 2, 3]), np.stack([np.full((1, WEALTHS), stake) for stake in (0.4, 0.5, 0.6)]))
    values = np.array([0.5, -0.3, np.nan, 0.8, 0.1])
    stakes = np.array([0.6 * np.sqrt(3 / 5), 0.6 * np.sqrt(3 / 4), 0.6, 0.5, 0.4])
    wealth = np.prod(1.0 + stakes * np.nan_to_num(values))
    assert plan.reach(values[:, None], 1.000001 / wealth).tolist() == [True]
    assert plan.reach(values[:, None], 0.999999 / wealth).tolist() == [False]


def test_who_has_reached_the_goal_stakes_no_more_whatever_is_planned() -> None:
    plan = Bets(np.array([1]), np.full((1, 1, WEALTHS), 0.5))
    assert plan.reach(np.array([[1.0], [-0.9]]), 0.9).tolist() == [True]
    assert plan.reach(np.array([[-0.9], [1.0]]), 0.9).tolist() == [False]


def test_the_last_round_stakes_the_least_that_reaches_the_goal() -> None:
    """On a coin at even odds: who is short of the goal by a factor f, at most doubled by the largest stake, f - 1."""
    plan = plan_bets(np.array([-1.0, 1.0]), np.array([[0.5, 0.5]]), 30, 1.0)
    assert plan.rounds.tolist() == [*range(1, 26), 27, 29]
    offered = np.array([0.0, *np.geomspace(0.02, 0.995, 19)])
    lacking = np.exp(9.0 * (1.0 - np.arange(WEALTHS) / (WEALTHS - 1)) ** 1.5)
    near = lacking <= 1.995
    least = offered[np.searchsorted(offered, lacking[near] - 1.0 - 1e-12)]
    assert plan.stakes[0, 0, near] == pytest.approx(least)


@settings(max_examples=30)
@given(npst.arrays(float, (2, 4), elements=st.floats(0.01, 1.0)), st.integers(20, 5000))
def test_the_mean_that_is_planned_for_is_some_standard_errors_above_0(chance: Floats, n: int) -> None:
    chance /= chance.sum(axis=1, keepdims=True)
    moved = _moved(SUPPORT, chance, n)
    spread = np.sqrt(chance @ SUPPORT**2 - (chance @ SUPPORT) ** 2)
    np.testing.assert_allclose(moved.sum(axis=1), 1.0)
    np.testing.assert_allclose(moved @ SUPPORT, DETECTABLE * spread / np.sqrt(n), atol=1e-9)


@pytest.fixture(scope="module")
def few() -> Bets:
    return plan_bets(SUPPORT, EXPECTED, 60, LOW)


@settings(max_examples=30)
@given(st.lists(st.floats(-LOW, 1.0), min_size=1, max_size=60), st.integers(0, 59))
def test_a_stake_never_looks_ahead(few: Bets, values: list[float], cut: int) -> None:
    """Whether the goal is reached in the first rows does not depend on the rows behind them."""
    head = np.full((60, 1), np.nan)
    head[: len(values), 0] = values
    tail = head.copy()
    tail[cut:] = np.nan
    if few.reach(tail, 0.05)[0]:
        worst = tail.copy()
        worst[cut:] = -LOW
        assert few.reach(worst, 0.05)[0]


def test_rows_without_a_label_stake_nothing_and_tests_do_not_mix(bets: Bets) -> None:
    draw = np.random.default_rng(3)
    good = draw.choice([0.05, 1.0], size=(200, 1), p=[0.8, 0.2])
    two = plan_bets(SUPPORT, np.repeat(EXPECTED, 2, axis=0), 200, LOW)
    side_by_side = two.reach(np.hstack([good, np.full((200, 1), np.nan)]), 0.05)
    assert side_by_side.tolist() == [True, False]


def test_more_rounds_than_are_planned_still_see_an_advantage() -> None:
    draw = np.random.default_rng(4)
    plan = plan_bets(SUPPORT, EXPECTED, 3000, LOW)
    sample = draw.choice(SUPPORT, size=(3000, 50, 1), p=EXPECTED[0])
    assert plan.reach(sample, 0.05).mean() > 0.9


def test_wealth_grows_at_most_as_kelly_said() -> None:
    # "A new interpretation of information rate", 1956: a coin that wins at even odds six times in ten.
    coin = np.array([1.0] * 6 + [-1.0] * 4)
    assert best_growth(coin, 1.0) == pytest.approx(np.log(2.0) + 0.6 * np.log(0.6) + 0.4 * np.log(0.4), rel=1e-2)
    # What never loses is staked on whole, and still takes 58 values of .05 to grow twentyfold.
    assert np.log(20.0) / best_growth(np.full(9, 0.05), LOW) == pytest.approx(58.7, abs=0.3)
