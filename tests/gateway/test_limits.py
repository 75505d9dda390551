"""Token buckets and slots: exact counts, exact waits, whatever the clock does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenbin.gateway.limits import RateLimit, Slots

ROUNDED_S = 2e-6
"""The moment is taken to the nearest microsecond, the wait up to the next one."""


def test_a_minutes_requests_at_once_then_evenly() -> None:
    limit = RateLimit(60)
    assert [limit.take(5.0) for _ in range(60)] == [0.0] * 60
    assert limit.take(5.0) == 1.0
    assert limit.take(5.5) == 0.5
    assert limit.take(6.0) == 0.0
    assert limit.take(6.0) == 1.0
    assert [limit.take(1e6) for _ in range(61)] == [0.0] * 60 + [1.0]


@given(st.integers(1, 100_000), st.floats(0.0, 1e8))
@example(13, 1.5546875)
def test_after_the_wait_exactly_there_is_one(per_minute: int, start: float) -> None:
    limit = RateLimit(per_minute)
    while (wait := limit.take(start)) == 0.0:
        if limit.per_minute > 500:  # emptying it takes too long; one step of a full bucket is the same arithmetic
            return
    assert 0.0 < wait <= 60.0 / per_minute + ROUNDED_S
    assert limit.take(start + wait) == 0.0
    assert limit.take(start + wait) > 0.0


@given(st.integers(1, 50), st.lists(st.floats(0.0, 10.0), max_size=200))
def test_no_stretch_of_time_sees_more_than_its_share(per_minute: int, gaps: list[float]) -> None:
    limit, now, taken = RateLimit(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        if limit.take(now) == 0.0:
            taken.append(now)
    for i, first in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= per_minute * (1 + (taken[j] - first) / 60) + 1e-3


@given(st.lists(st.floats(-1e6, 1e6), max_size=50))
def test_a_clock_that_goes_back_never_stops_it_for_long(jumps: list[float]) -> None:
    limit, now = RateLimit(6), 1e7
    for jump in jumps:
        now += jump
        wait = limit.take(now)
        assert 0.0 <= wait <= 10.0 + ROUNDED_S
    wait = limit.take(now)
    assert limit.take(now + wait) == 0.0 or wait == 0.0


def test_a_clock_that_goes_back_and_forth_fills_only_what_passed() -> None:
    limit = RateLimit(1)
    assert limit.take(100.0) == 0.0
    assert limit.take(90.0) == 60.0
    assert limit.take(100.0) == 50.0


def test_slots_are_as_many_as_said() -> None:
    slots = Slots(2)
    assert [slots.take(), slots.take(), slots.take()] == [True, True, False]
    slots.give()
    assert (slots.taken, slots.take(), slots.take()) == (1, True, False)
    slots.give()
    slots.give()
    with pytest.raises(ValueError, match="no slot is taken"):
        slots.give()


def test_without_a_limit_all_may() -> None:
    slots = Slots(None)
    assert all(slots.take() for _ in range(1000))
    assert slots.taken == 1000


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=100))
def test_never_more_than_the_limit(limit: int, moves: list[bool]) -> None:
    slots, mine = Slots(limit), 0
    for takes in moves:
        if takes:
            assert slots.take() == (mine < limit)
            mine = min(mine + 1, limit)
        elif mine:
            slots.give()
            mine -= 1
        assert slots.taken == mine
