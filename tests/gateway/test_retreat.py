"""The SLA watch: it sees what is bad, seldom what is chance, and says so until it is told to go on."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.gateway.retreat import (
    CHANCE,
    DAY_S,
    LEAST,
    Promise,
    Retreat,
    Seen,
    Watch,
    Window,
    finished,
    is_below,
    labelled,
    resumed,
    spent_today,
)

NOON = 20_000 * DAY_S + 43_200.0


def run(watch: Watch, qualities: list[float]) -> Watch:
    for quality in qualities:
        watch = labelled(watch, quality, NOON)
    return watch


def draws(mean: float, n: int, seed: int) -> list[float]:
    draw = random.Random(seed)  # noqa: S311 (a seed for a simulation, not a secret)
    return [float(draw.random() < mean) for _ in range(n)]


@pytest.mark.parametrize("promised", [0.1, 0.5, 0.9])
def test_chance_alone_seldom_alarms_even_at_exactly_what_was_promised(promised: float) -> None:
    """The bound says fewer than 1 run of 1,000 labels in 100; three in 100 of it would be a chance of 2 %."""
    watch = Watch(Promise(min_quality=promised))
    alarms = sum(run(watch, draws(promised, 1000, seed)).retreat is not None for seed in range(100))
    assert alarms <= 3


def test_the_bound_over_1000_labels_is_one_in_a_hundred() -> None:
    assert 1000 * CHANCE <= 0.01


@pytest.mark.parametrize(("promised", "true", "within"), [(0.9, 0.5, 60), (0.85, 0.6, 150), (0.85, 0.7, 450)])
def test_what_is_bad_is_seen_soon(promised: float, true: float, within: int) -> None:
    seen = 0
    for seed in range(40):
        watch = run(Watch(Promise(min_quality=promised)), draws(true, within, seed))
        seen += watch.retreat is not None and watch.retreat.reason == "quality"
    assert seen >= 36


def test_the_latest_500_labels_and_2000_requests_are_looked_at() -> None:
    watch = Watch(Promise(min_quality=0.5, availability=0.5))
    for _ in range(2200):
        watch = finished(labelled(watch, 1.0, NOON), True, NOON)
    assert (watch.qualities.n, watch.answers.n) == (500, 2000)


@given(st.integers(0, 3_000), st.floats(0.0, 1.0))
def test_a_window_holds_of_what_was_seen_as_much_as_it_can_at_the_same_mean(n: int, mean: float) -> None:
    window = Window(25, 20).holding(Seen(n, n * mean))
    assert window.n == min(n, 500)
    assert window.sum == pytest.approx(window.n * mean)
    grown = window
    for _ in range(525):
        grown = grown.add(1.0)
    assert grown.n in range(500, 525)
    assert grown.mean == 1.0


def test_a_fall_after_a_good_month_is_seen_within_the_window() -> None:
    watch = run(Watch(Promise(min_quality=0.8)), [1.0] * 10_000)
    watch = run(watch, [0.4] * 400)
    assert watch.retreat is not None
    assert watch.retreat.sentence.startswith("mean quality 0.")


def test_fewer_labels_than_the_least_prove_nothing() -> None:
    watch = run(Watch(Promise(min_quality=0.99)), [0.0] * (LEAST - 1))
    assert watch.retreat is None
    assert labelled(watch, 0.0, NOON).retreat == Retreat(
        "quality", "mean quality 0.000 over the last 30 labels, promised 0.990", NOON
    )


def test_failures_beyond_the_promise() -> None:
    watch = Watch(Promise(availability=0.99))
    for i in range(1000):
        watch = finished(watch, i % 100 != 0, NOON)
    assert watch.retreat is None
    for _ in range(20):
        watch = finished(watch, False, NOON)
    assert watch.retreat is not None
    assert watch.retreat.reason == "availability"
    assert "requests answered, promised 99.00%" in watch.retreat.sentence


def test_the_dollars_of_a_day_in_utc() -> None:
    watch = Watch(Promise(max_spend_usd=10.0))
    watch = spent_today(watch, 10.0, NOON)
    assert watch.retreat is None
    over = spent_today(watch, 10.01, NOON)
    assert over.retreat == Retreat("spend", "10.01 dollars spent today (UTC), promised at most 10.00", NOON)
    assert spent_today(watch, 9.0, NOON + DAY_S).retreat is None


def test_it_stays_until_told_and_then_starts_afresh() -> None:
    watch = run(Watch(Promise(min_quality=0.9, availability=0.9, max_spend_usd=1.0)), [0.0] * 40)
    first = watch.retreat
    watch = spent_today(finished(run(watch, [1.0] * 1000), True, NOON + DAY_S), 0.5, NOON + DAY_S)
    assert watch.retreat is first
    watch = resumed(watch, NOON)
    assert (watch.retreat, watch.qualities.n, watch.answers.n) == (None, 0, 0)
    assert watch.spent_usd == 0.5
    assert resumed(watch, NOON) is watch


def test_overspending_that_was_waved_through_is_fine_for_that_day_only() -> None:
    watch = resumed(spent_today(Watch(Promise(max_spend_usd=1.0)), 2.0, NOON), NOON)
    assert spent_today(watch, 5.0, NOON).retreat is None
    assert spent_today(watch, 5.0, NOON + DAY_S).retreat is not None


def test_whoever_resumes_the_morning_after_has_waved_nothing_through() -> None:
    watch = spent_today(Watch(Promise(max_spend_usd=10.0)), 11.0, 0.9 * DAY_S)
    again = resumed(watch, 1.1 * DAY_S)
    assert spent_today(again, 9.0, 1.2 * DAY_S).retreat is None
    assert spent_today(again, 11.0, 1.2 * DAY_S).retreat is not None
    within = resumed(spent_today(watch, 9.0, 1.1 * DAY_S), 1.1 * DAY_S)
    assert spent_today(within, 11.0, 1.2 * DAY_S).retreat is not None
    over = resumed(spent_today(watch, 11.0, 1.1 * DAY_S), 1.1 * DAY_S)  # the fallback has spent that much, too
    assert spent_today(over, 12.0, 1.2 * DAY_S).retreat is None


@pytest.mark.parametrize(
    ("n", "total", "promised", "below"),
    [
        (51, 0.0, 0.2, False),
        (52, 0.0, 0.2, True),
        (88, 22.0, 0.5, False),
        (92, 23.0, 0.5, True),
        (92, 69.0, 0.5, False),
    ],
)
def test_the_bound_worked_by_hand(n: int, total: float, promised: float, below: bool) -> None:
    """ln 100,000 = 11.513; of 51 and 52 at .223 nats (ln 1.25), of 88 and 92 at .1308 (.75 ln 1.5 - .25 ln 2)."""
    assert is_below(Window(1000, 1, (), n, total), promised) is below


def test_whoever_resumes_after_another_retreat_waves_no_spending_through() -> None:
    for most in (1.0, None):
        watch = spent_today(Watch(Promise(min_quality=0.9, max_spend_usd=most)), 0.5, NOON)
        again = resumed(run(watch, [0.0] * 40), NOON)
        assert again.retreat is None
        assert (spent_today(again, 2.0, NOON).retreat is None) == (most is None)


def test_nothing_promised_is_nothing_watched() -> None:
    watch = Watch(Promise())
    assert labelled(watch, 0.0, NOON) is watch
    assert finished(watch, False, NOON) is watch
    assert spent_today(watch, 1e9, NOON).retreat is None


def test_a_promise_of_all_is_broken_by_one_and_of_none_by_nothing() -> None:
    window = Window(25, 20)
    for _ in range(LEAST):
        window = window.add(1.0)
    assert not is_below(window, 1.0)
    assert is_below(window.add(0.0), 1.0)
    assert not is_below(replace(window, total=0.0, full=(0.0,)), 0.0)


@settings(max_examples=100)
@given(st.integers(1, 7), st.integers(1, 5), st.lists(st.floats(0.0, 1.0), max_size=80))
def test_a_window_holds_the_latest_and_is_bounded(block: int, most: int, values: list[float]) -> None:
    window = Window(block, most)
    for value in values:
        window = window.add(value)
    assert len(window.full) <= most
    assert min(len(values), block * most) <= window.n <= block * (most + 1) - 1 or window.n == len(values)
    if window.n:
        assert window.mean == pytest.approx(sum(values[-window.n :]) / window.n, abs=1e-9)
