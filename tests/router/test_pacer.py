"""The pacer keeps a budget, whatever the requests cost, and knows what to do where it cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import UsageError
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.pacer import (
    DAY_S,
    Budget,
    PaceCurve,
    Tally,
    dearer,
    paced_mu,
    paid,
    requests_left,
    target_usd,
    together,
    turned,
)

MUS = mu_grid(101)
CURVE = PaceCurve.of(DialCurve(MUS, np.linspace(0.9, 0.5, 101), np.linspace(0.02, 0.001, 101), 0.9, 0.02))
NOON = 20_000.5 * DAY_S
dollars = st.floats(0.0, 10.0)


def paced(budget: Budget, factors: np.ndarray, times: np.ndarray, tally: Tally | None = None) -> tuple[Tally, float]:
    """The tally and the dollars of a stream whose requests cost so many times what the curve says, give or take."""
    rng, spent, tally = np.random.default_rng(0), 0.0, tally or Tally()
    for factor, now in zip(factors.tolist(), times.tolist(), strict=True):
        mu = paced_mu(tally, budget, CURVE, now)
        expected = CURVE.cost_of(mu)
        cost = expected * factor * rng.gamma(0.5, 2.0)
        tally = paid(tally, budget, cost_usd=cost, expected_usd=expected, is_request=True, now=now)
        spent += cost
    return tally, spent


@pytest.mark.parametrize("factors", [[1.0, 1.0], [0.5, 0.5], [3.0, 3.0], [0.5, 4.0], [4.0, 0.6]])
def test_a_budget_per_request_is_kept_however_wrong_the_curve_is(factors: list[float]) -> None:
    n = 3000
    _, spent = paced(Budget(request_usd=0.006), np.repeat(factors, n // 2), np.full(n, NOON))
    assert spent / n == pytest.approx(0.006, rel=0.02)


@pytest.mark.parametrize("volume", [500, 3000])
def test_a_budget_of_a_day_is_kept_without_knowing_the_volume(volume: int) -> None:
    times = np.sort(np.random.default_rng(1).uniform(0.0, DAY_S - 1.0, volume))
    _, spent = paced(Budget(day_usd=0.006 * volume), np.full(volume, 1.5), times)
    assert spent / (0.006 * volume) == pytest.approx(1.0, abs=0.02)


def test_what_cannot_be_kept_is_served_at_the_cheapest_and_forgiven_in_time() -> None:
    budget = Budget(request_usd=0.0005)
    tally, _ = paced(budget, np.ones(30_000), np.full(30_000, NOON))
    assert paced_mu(tally, budget, CURVE, NOON) == 1.0
    assert tally.debt_usd < 5_000 * 0.001


def test_savings_do_not_become_a_spree() -> None:
    budget = Budget(request_usd=0.003)
    tally = replace(Tally(), debt_usd=-1e6)
    assert target_usd(tally, budget, NOON) == 0.006


def test_of_two_budgets_the_scarcer_counts() -> None:
    tally = Tally(day=20_000, day_usd=0.99, hours=(100.0,) * 12 + (0.0,) * 12, began=0.0)
    both = target_usd(tally, Budget(0.01, 1.0), NOON)
    assert both == target_usd(tally, Budget(None, 1.0), NOON) < target_usd(tally, Budget(0.01), NOON)
    assert target_usd(tally, Budget(), NOON) == np.inf


def test_a_spent_day_is_served_at_the_cheapest_until_the_next() -> None:
    budget = Budget(day_usd=1.0)
    tally = Tally(day=20_000, day_usd=1.2, hours=(10.0,) * 24, began=0.0)
    assert paced_mu(tally, budget, CURVE, NOON) == 1.0
    assert paced_mu(tally, budget, CURVE, NOON + DAY_S) < 1.0


def test_the_rest_of_a_day_is_expected_in_the_shape_of_former_days() -> None:
    evening = (0.0,) * 18 + (100.0,) * 6
    here = Tally(day=20_000, hours=(0.0,) * 24, before=evening)
    assert requests_left(here, NOON) > 300.0
    assert requests_left(replace(here, before=evening[::-1]), NOON) < 30.0
    even = Tally(day=20_000, hours=(10.0,) * 12 + (0.0,) * 12, began=0.0)
    assert requests_left(even, NOON) == pytest.approx(120.0, rel=0.05)


def test_a_new_day_remembers_the_volume_of_the_one_before() -> None:
    monday = Tally(day=1, day_usd=3.0, hours=(4.0,) * 24, began=0.1)
    tuesday = turned(monday, 2)
    assert (tuesday.day_usd, tuesday.began, tuesday.hours, tuesday.before) == (0.0, 1.0, (0.0,) * 24, (4.0,) * 24)
    assert turned(replace(tuesday, hours=(8.0,) * 24), 3).before == (6.0,) * 24


def test_the_curve_is_read_both_ways_and_not_beyond_the_best_quality() -> None:
    bumpy = DialCurve(
        np.array([0.0, 0.2, 0.5, 0.8, 1.0]),
        np.array([0.7, 0.9, 0.8, 0.6, 0.5]),
        np.array([9.0, 5.0, 3.0, 3.5, 1.0]),
        0.9,
        9.0,
    )
    curve = PaceCurve.of(bumpy)
    assert curve.mu.tolist() == [0.2, 0.5, 0.8, 1.0]
    assert (curve.mu_of(100.0), curve.mu_of(5.0), curve.mu_of(0.9)) == (0.2, 0.2, 1.0)
    assert curve.mu_of(4.0) == pytest.approx(0.35)
    assert curve.cost_of(0.35) == pytest.approx(4.0)


@pytest.mark.parametrize("usd", [0.0, -1.0, np.inf, np.nan])
def test_a_budget_that_buys_nothing_is_refused(usd: float) -> None:
    with pytest.raises(UsageError, match="buys nothing"):
        Budget(request_usd=usd)
    with pytest.raises(UsageError, match="buys nothing"):
        Budget(day_usd=usd)


@given(st.lists(st.tuples(dollars, st.booleans(), st.integers(0, 2)), max_size=30))
def test_workers_together_know_what_one_would_know(bills: list[tuple[float, bool, int]]) -> None:
    budget = Budget(day_usd=5.0)
    one, several = Tally(), [Tally()] * 3
    for usd, is_request, worker in bills:
        one = paid(one, budget, cost_usd=usd, expected_usd=None, is_request=is_request, now=NOON)
        several[worker] = paid(
            several[worker], budget, cost_usd=usd, expected_usd=None, is_request=is_request, now=NOON
        )
    whole = together(several, 20_000)
    assert whole.day_usd == pytest.approx(one.day_usd)
    assert whole.hours == together([one], 20_000).hours
    assert target_usd(whole, budget, NOON) == pytest.approx(target_usd(together([one], 20_000), budget, NOON))


@given(st.lists(st.tuples(dollars, dollars, st.booleans(), st.floats(0.0, 3.0 * DAY_S)), max_size=40), dollars, dollars)
def test_any_history_gives_a_mu_and_spending_more_never_a_smaller_one(
    bills: list[tuple[float, float, bool, float]], request: float, day: float
) -> None:
    budget, tally, now = Budget(request + 1e-3, day + 1e-3), Tally(), 0.0
    for usd, expected, is_request, now in bills:
        tally = paid(tally, budget, cost_usd=usd, expected_usd=expected, is_request=is_request, now=now)
    assert 0.0 <= paced_mu(tally, budget, CURVE, now) <= 1.0
    assert 0.0 < dearer(tally) <= 100.0
    more = paid(tally, budget, cost_usd=1.0, expected_usd=None, is_request=False, now=now)
    assert target_usd(more, budget, now) <= target_usd(tally, budget, now)
