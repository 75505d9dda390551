"""The pacer keeps a budget, whatever the requests cost, and knows what to do where it cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import UsageError
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.pacer import (
    DAY_S,
    MEMORY_REQUESTS,
    MOST_SAVED,
    REPAY_REQUESTS,
    Budget,
    PaceCurve,
    Tally,
    courses,
    dearer,
    harder,
    left_by,
    paced_mu,
    paid,
    promised,
    requests_left,
    together,
    turned,
)
from tenbin.types import Floats

MUS = mu_grid(101)
CURVE = PaceCurve.of(DialCurve(MUS, np.linspace(0.9, 0.5, 101), np.linspace(0.02, 0.001, 101), 0.9, 0.02))
CLIFF = PaceCurve.of(DialCurve(MUS, np.where(MUS < 0.3, 0.9, 0.5), np.where(MUS < 0.3, 0.01, 0.0001), 0.9, 0.01))
NOON = 20_000.5 * DAY_S
dollars = st.floats(0.0, 10.0)


def paced(
    budget: Budget, wrong: Floats, hard: Floats, times: Floats, tally: Tally | None = None
) -> tuple[Tally, Floats]:
    """The tally and the bills of a stream.

    A request is expected to cost `hard` times what the curve says, and costs `wrong` times that, give or take.
    """
    rng, bills, tally = np.random.default_rng(0), np.empty(len(times)), tally or Tally()
    for i, now in enumerate(times.tolist()):
        mu = paced_mu(tally, budget, CURVE, now)
        usual = CURVE.cost_of(mu)
        bills[i] = usual * hard[i] * wrong[i] * rng.gamma(0.5, 2.0)
        tally = paid(tally, budget, cost_usd=bills[i], weighed=(usual * hard[i], usual), now=now)
    return tally, bills


@pytest.mark.parametrize("factors", [[1.0, 1.0], [0.5, 0.5], [3.0, 3.0], [0.5, 4.0], [4.0, 0.6]])
@pytest.mark.parametrize("is_hard", [False, True])
def test_a_budget_per_request_is_kept_however_wrong_expectations_are(factors: list[float], is_hard: bool) -> None:
    n = 3000
    change, none = np.repeat(factors, n // 2), np.ones(n)
    wrong, hard = (none, change) if is_hard else (change, none)
    _, bills = paced(Budget(request_usd=0.006), wrong, hard, np.full(n, NOON))
    assert bills.mean() == pytest.approx(0.006, rel=0.02)


def test_a_burst_is_lent_to_and_pays_back() -> None:
    """Forty hard requests, forty easy ones: a fixed mu keeps the budget, and spends more than it on the hard ones."""
    n = 3200
    hard = np.tile(np.repeat([1.6, 0.4], 40), n // 80)
    _, bills = paced(Budget(request_usd=0.006), np.ones(n), hard, np.full(n, NOON))
    assert bills.mean() == pytest.approx(0.006, rel=0.02)
    assert bills[hard > 1.0].mean() > 1.2 * 0.006


@pytest.mark.parametrize("under_way", [0, 60])
def test_a_budget_is_kept_where_the_dial_is_a_cliff_and_answers_take_long(under_way: int) -> None:
    """One of two candidates costs a hundred times the other's, and eight times the budget; bills come late."""
    budget, n, tally, spent = Budget(request_usd=0.00125), 400, Tally(), 0.0
    waiting: list[tuple[float, float]] = []
    for _ in range(n):
        expected = sum(usd for usd, _ in waiting)
        seen = promised(tally, budget, expected_usd=expected, calls=len(waiting), now=NOON)
        mu = paced_mu(seen, budget, CLIFF, NOON)
        usd = 0.01 if mu < 0.2987 else 0.0001  # between two knots of the curve, where nobody knows it to be
        spent += usd
        waiting.append((usd, CLIFF.cost_of(mu)))
        if len(waiting) > under_way:
            usd, usual = waiting.pop(0)
            tally = paid(tally, budget, cost_usd=usd, weighed=(usd, usual), now=NOON)
    assert spent / n == pytest.approx(0.00125, rel=0.02)


@settings(max_examples=25)
@given(st.integers(0, 1_000), st.floats(1.0, 40.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_no_stream_is_over_by_more_than_the_bound(seed: int, dear: float, share: float, wrong: float) -> None:
    """Whatever comes, as long as answers cost at most `dear` budgets, and the budget in the mean at the cheapest."""
    usd, rng = 0.006, np.random.default_rng(seed)
    budget, tally, over = Budget(request_usd=usd), Tally(), 0.0
    for n in range(1, 500):
        mu = paced_mu(tally, budget, CURVE, NOON)
        cost = usd * (1.0 if mu == 1.0 else dear if rng.random() < share else 0.0)
        expected = cost if rng.random() < wrong else usd / 50.0
        tally = paid(tally, budget, cost_usd=cost, weighed=(expected, CURVE.cost_of(mu)), now=NOON)
        over += cost - usd
        assert over / usd <= REPAY_REQUESTS + dear + n * REPAY_REQUESTS / MEMORY_REQUESTS


@pytest.mark.parametrize("volume", [500, 3000])
def test_a_budget_of_a_day_is_kept_without_knowing_the_volume(volume: int) -> None:
    times = np.sort(np.random.default_rng(1).uniform(0.0, DAY_S - 1.0, volume))
    _, bills = paced(Budget(day_usd=0.006 * volume), np.full(volume, 1.5), np.ones(volume), times)
    assert bills.mean() / 0.006 == pytest.approx(1.0, abs=0.02)


def test_what_cannot_be_kept_is_served_at_the_cheapest_and_forgiven_in_time() -> None:
    budget = Budget(request_usd=0.0005)
    tally = Tally()
    for _ in range(30_000):
        tally = paid(tally, budget, cost_usd=0.001, now=NOON)
    assert paced_mu(tally, budget, CURVE, NOON) == 1.0
    assert tally.debt_usd < MEMORY_REQUESTS * 0.0005


def test_savings_do_not_become_a_spree() -> None:
    budget = Budget(request_usd=0.003)
    tally = replace(Tally(), debt_usd=-1e6)
    saved = replace(tally, debt_usd=-MOST_SAVED * 0.003)
    assert CURVE.mu[0] < paced_mu(tally, budget, CURVE, NOON) == paced_mu(saved, budget, CURVE, NOON)


def test_of_two_budgets_the_scarcer_counts() -> None:
    tally = Tally(day=20_000, day_usd=0.99, hours=(100.0,) * 12 + (0.0,) * 12, began=0.0)
    both, day, request = (paced_mu(tally, Budget(*usd), CURVE, NOON) for usd in ((0.01, 1.0), (None, 1.0), (0.01,)))
    assert both == day > request
    assert paced_mu(tally, Budget(), CURVE, NOON) == CURVE.mu[0]


def test_a_spent_day_is_served_at_the_cheapest_until_the_next() -> None:
    budget = Budget(day_usd=1.0)
    tally = Tally(day=20_000, day_usd=1.2, hours=(10.0,) * 24, began=0.0)
    assert paced_mu(tally, budget, CURVE, NOON) == 1.0
    assert paced_mu(tally, budget, CURVE, NOON + DAY_S) < 1.0


def test_a_clock_set_back_over_midnight_opens_no_second_yesterday() -> None:
    budget, midnight = Budget(day_usd=1.0), 20_001.0 * DAY_S
    tally = Tally(day=20_000, day_usd=1.2, hours=(10.0,) * 24, began=0.0)
    after = paid(tally, budget, cost_usd=0.01, now=midnight + 1.0)
    back = paid(after, budget, cost_usd=0.01, now=midnight - 60.0)
    assert (back.day, back.day_usd, sum(back.hours)) == (20_001, pytest.approx(0.02), 2.0)
    assert back.before == after.before == tally.hours
    under_way = promised(after, budget, expected_usd=0.02, calls=1, now=midnight - 60.0)
    assert (under_way.day, under_way.day_usd) == (20_001, pytest.approx(0.03))
    assert paced_mu(after, budget, CURVE, midnight - 60.0) == paced_mu(after, budget, CURVE, midnight)
    idle = Tally(day=20_000, day_usd=0.5, hours=(10.0,) * 24, began=0.0)
    assert together([idle, after], midnight - 60.0).day_usd == pytest.approx(0.01)
    assert paid(after, budget, cost_usd=0.01, now=midnight - 0.5 * DAY_S).day == 20_000  # that is another clock


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
    assert turned(tuesday, 3).before == (4.0,) * 24  # a day without any request says nothing of the next
    night = (0.0,) * 23  # of days with requests in their first hour alone
    first = turned(Tally(day=1, hours=(4.0, *night)), 2)
    assert first.before == (4.0, *night)
    assert turned(replace(first, hours=(8.0, *night)), 3).before == (6.0, *night)


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


def test_a_bill_worked_by_hand() -> None:
    tally = Tally(1.0, 2.0, 1.0, 1.0, 1.0, 1.0, day=20_000, day_usd=0.5, began=0.6)
    after = paid(tally, Budget(0.1, 5.0), cost_usd=0.3, weighed=(0.2, 0.4), now=NOON)
    assert after.debt_usd == pytest.approx(1.0 - 1.0 / 5000.0 + 0.3 - 0.1)
    sums = (after.billed_usd, after.expected_usd, after.hard_usd, after.curve_usd)
    assert sums == pytest.approx((0.98 + 0.3, 0.98 + 0.2, 0.998 + 0.2, 0.998 + 0.4))
    assert (after.seen, after.day, after.day_usd, after.began) == (3.0, 20_000, 0.8, 0.5)
    assert after.hours == (0.0,) * 12 + (1.0,) + (0.0,) * 11
    failed = paid(tally, Budget(0.1), cost_usd=0.3, weighed=(0.0, 0.4), is_request=False, now=NOON)
    assert failed == replace(tally, debt_usd=1.3, day_usd=0.8)
    assert paid(tally, Budget(None, 5.0), cost_usd=0.3, now=NOON).debt_usd == 0.0


def test_evidence_counts_for_as_many_as_there_are_beside_the_trust_and_within_a_hundredfold() -> None:
    tally = Tally(seen=20.0, billed_usd=2.0, expected_usd=1.0, hard_usd=3.0, curve_usd=1.0)
    assert (dearer(tally), harder(tally)) == pytest.approx((1.5, (20 * 3 + 200) / 220))
    assert (dearer(Tally()), harder(Tally())) == (1.0, 1.0)
    much = Tally(seen=1e9, billed_usd=101.0, expected_usd=1.0, hard_usd=1.0, curve_usd=101.0)
    assert (dearer(much), harder(much)) == (100.0, 0.01)


def test_how_a_budget_stands_worked_by_hand() -> None:
    tally = Tally(debt_usd=0.2, day=20_000, day_usd=1.5, began=0.25, hours=(10.0,) * 12 + (0.0,) * 12)
    request, day = courses(tally, Budget(0.01, 3.0), NOON)
    assert (request.target_usd, request.log_odds_step) == pytest.approx((0.01 - 0.2 / 50, 0.4))
    left = 121 / 0.26 * 0.5
    rate = 3.0 / (120 + left)
    assert (day.rate_usd, day.debt_usd, day.requests) == pytest.approx((rate, 1.5 - 120 * rate, left))
    assert replace(request, debt_usd=9e9).log_odds_step == 50.0
    assert replace(request, debt_usd=-9e9).log_odds_step == -50.0
    shaped = replace(tally, before=(5.0,) * 12 + (15.0,) * 12)
    gone = 0.9 * (60 + 7.5) / 240 + 0.1 * 12.5 / 24
    assert requests_left(shaped, NOON + 1800.0) == pytest.approx((120 + 24) / (gone + 0.1) * (1.0 - gone))
    early = replace(tally, before=(1.0,) + (0.0,) * 23)
    assert requests_left(early, NOON) == pytest.approx((120 + 0.1) / (0.9 + 0.05 + 0.1) * (1.0 - 0.9 - 0.05))
    assert requests_left(Tally(day=20_000), NOON) == pytest.approx(50.0)  # nothing has come yet
    (last,) = courses(replace(tally, before=(1.0,) + (0.0,) * 23), Budget(None, 3.0), NOON + DAY_S / 2 - 1.0)
    assert last.requests == 10.0


def test_the_larger_of_two_steps_worked_by_hand() -> None:
    """At a cliff it is the one in odds, from the mu of the budget where bills are half as much again as expected."""
    cliff = PaceCurve(np.array([0.2, 0.21, 1.0]), np.array([5.0, 1.0, 0.9]))
    owed = Tally(debt_usd=45.0, seen=20.0, billed_usd=2.0, expected_usd=1.0, hard_usd=1.0, curve_usd=1.0)
    odds = 0.205 / 0.795 * np.exp(45.0 / (4.5 * 50.0))  # 4.5 dollars buy what the curve calls 3
    assert paced_mu(owed, Budget(4.5), cliff, NOON) == pytest.approx(odds / (1.0 + odds))
    assert paced_mu(replace(owed, debt_usd=-45.0), Budget(4.5), cliff, NOON) == 0.2


def test_of_a_worker_that_is_gone_the_day_counts_and_workers_together_are_the_sum() -> None:
    one = Tally(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 20_000, 7.0, 0.3, (1.0,) * 24, (2.0,) * 24)
    assert left_by(one) == Tally(day=20_000, day_usd=7.0, began=0.3, hours=(1.0,) * 24)
    both = together([one, replace(one, began=0.2)], NOON)
    assert both == Tally(2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 20_000, 14.0, 0.2, (2.0,) * 24, (4.0,) * 24)
    assert together([], 3.5 * DAY_S) == Tally(day=3)
    assert together([one], NOON + DAY_S).day_usd == 0.0


def test_calls_under_way_count_at_what_bills_teach_of_expectations() -> None:
    budget, late = Budget(0.01, 5.0), 20_001 * DAY_S
    tally = replace(Tally(day=20_000, day_usd=1.0), seen=1e9, billed_usd=2.0, expected_usd=1.0)
    found = promised(tally, budget, expected_usd=0.3, calls=4, now=late)
    assert found.debt_usd == pytest.approx(0.6 - 0.04)
    assert (found.day, found.day_usd, sum(found.hours)) == (20_001, pytest.approx(0.6), 4.0)
    assert promised(tally, budget, expected_usd=0.0, calls=0, now=late) == tally
    assert promised(tally, Budget(None, 5.0), expected_usd=0.3, calls=4, now=late).debt_usd == 0.0


@settings(max_examples=100)
@given(st.lists(st.tuples(dollars, st.booleans(), st.integers(0, 2)), max_size=30))
def test_workers_together_know_what_one_would_know(bills: list[tuple[float, bool, int]]) -> None:
    budget = Budget(day_usd=5.0)
    one, several = Tally(), [Tally()] * 3
    for usd, is_request, worker in bills:
        one = paid(one, budget, cost_usd=usd, is_request=is_request, now=NOON)
        several[worker] = paid(several[worker], budget, cost_usd=usd, is_request=is_request, now=NOON)
    whole = together(several, NOON)
    assert whole.day_usd == pytest.approx(one.day_usd)
    assert whole.hours == together([one], NOON).hours
    alone = courses(together([one], NOON), budget, NOON)[0]
    assert courses(whole, budget, NOON)[0].target_usd == pytest.approx(alone.target_usd)


@settings(max_examples=100)
@given(st.lists(st.tuples(dollars, dollars, st.booleans(), st.floats(0.0, 3.0 * DAY_S)), max_size=40), dollars, dollars)
def test_any_history_gives_a_mu_and_spending_more_never_a_smaller_one(
    bills: list[tuple[float, float, bool, float]], request: float, day: float
) -> None:
    budget, tally, now = Budget(request + 1e-3, day + 1e-3), Tally(), 0.0
    for usd, expected, is_request, now in bills:
        tally = paid(tally, budget, cost_usd=usd, weighed=(expected, 0.01), is_request=is_request, now=now)
    mu = paced_mu(tally, budget, CURVE, now)
    assert 0.0 <= mu <= 1.0
    assert 0.0 < dearer(tally) <= 100.0
    assert 0.0 < harder(tally) <= 100.0
    more = paid(tally, budget, cost_usd=1.0, is_request=False, now=now)
    assert paced_mu(more, budget, CURVE, now) >= mu
