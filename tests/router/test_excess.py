"""The watch over a stream: it sees an excess soon, whenever it begins, and seldom what is chance."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.router.dearness import TOLERANCE
from tenbin.router.excess import LATEST, QUERIES, Excess

SHARES = (0.04, 0.3, 0.7)


def changes(key: Excess, share: float, limit: float, queries: int, draw: random.Random) -> list[int]:
    """After which of some queries, with a `share` of the sign, a flag began or ended."""
    return [i for i in range(1, queries + 1) if key.met(draw.random() < share, limit)]


def draws(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (a seed for a simulation, not a secret)


@pytest.mark.parametrize("limit", [0.06, 0.5, 0.9])
def test_at_the_limit_a_flag_takes_as_many_queries_as_is_said(limit: float) -> None:
    draw, flags, queries = draws(0), 0, 0
    while queries < 20 * QUERIES:
        until = changes(Excess(), limit, limit, 2_000, draw)[:1]
        flags, queries = flags + len(until), queries + (until or [2_000])[0]
    assert 0 < flags <= 20 + 3 * 20**0.5


@pytest.mark.parametrize("share", SHARES)
def test_at_the_usual_share_flags_are_far_rarer(share: float) -> None:
    flags = changes(Excess(), share, share + TOLERANCE, 200_000, draws(1))[::2]
    assert len(flags) <= 2  # at the limit it would be up to 20


@pytest.mark.parametrize("before", [0, 2_000])
@pytest.mark.parametrize("share", SHARES)
def test_fifteen_points_more_are_seen_whenever_they_begin(share: float, before: int) -> None:
    draw, limit, seen = draws(2), share + TOLERANCE, 0
    for _ in range(20):
        key = Excess()
        changes(key, share, limit, before, draw)
        seen += key.is_flagged or any(changes(key, share + 0.15, limit, 700, draw))
    assert seen >= 18


@pytest.mark.parametrize("share", SHARES)
def test_a_flag_ends_when_the_evidence_turns_however_long_the_attack_was(share: float) -> None:
    for attack in (500, 20_000):
        key, draw, limit = Excess(), draws(3), share + TOLERANCE
        assert len(changes(key, 1.0, limit, attack, draw)) == 1
        assert key.is_flagged
        assert len(changes(key, share, limit, 2_500, draw)) == 1
        assert not key.is_flagged


@pytest.mark.parametrize(("often", "seldom"), [(100, 0), (40, 20), (34, 26)])
def test_the_mean_of_three_sums_of_wealth_begins_and_ends_a_flag(often: int, seldom: int) -> None:
    """The largest stake decides where nothing else happens, the middle one ten points off, the smallest four."""

    def needed(happened: list[bool], gain: float, loss: float) -> int:
        sums = [0.0] * 3
        for n, each in enumerate(happened, start=1):
            sums = [
                (w + 1.0) * (1.0 + s * (gain if each else loss)) for w, s in zip(sums, (0.05, 0.2, 0.5), strict=True)
            ]
            if sum(sums) / 3.0 >= 10_000.0:
                return n
        raise AssertionError("never")

    key, limit = Excess(), 0.3
    above, below = ([i * share % 100 < share for i in range(9_999)] for share in (often, seldom))
    begin, end = needed(above, 0.7 / 0.3, -1.0), needed(below, -1.0, 0.3 / 0.7)
    assert [key.met(each, limit) for each in above[:begin]] == [False] * (begin - 1) + [True]
    assert [key.met(each, limit) for each in below[:end]] == [False] * (end - 1) + [True]
    assert not key.is_flagged


def test_where_everything_may_happen_nothing_is_learnt() -> None:
    key = Excess()
    assert changes(key, 1.0, 1.0, 1_000, draws(4)) == []
    assert key.share == 1.0
    assert len(changes(key, 1.0, 0.5, 100, draws(4))) == 1
    assert changes(key, 0.0, 1.05, 1_000, draws(4)) == []
    assert key.is_flagged


def test_limits_may_change_from_query_to_query() -> None:
    """A dial that a budget turns: what is expected of each query counts, not their mean."""
    draw, key = draws(5), Excess()
    limits = [0.1, 0.9] * 20_000
    assert not any(key.met(draw.random() < limit - TOLERANCE, limit) for limit in limits)
    assert any(key.met(draw.random() < 0.6, limit) for limit in limits[:2_000])


@given(st.lists(st.booleans(), min_size=1, max_size=3 * LATEST))
def test_the_share_that_is_told_is_that_of_the_latest(dear: list[bool]) -> None:
    key = Excess()
    for each in dear:
        key.met(each, 1.0)
    assert 0.0 <= key.share <= 1.0
    if len(dear) <= LATEST:
        assert key.share == pytest.approx(sum(dear) / len(dear))
