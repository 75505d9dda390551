from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenbin.online.ask import spread_sample


@given(st.integers(1, 60), st.integers(1, 80), st.integers(1, 4), st.integers(0, 3))
def test_it_takes_as_many_as_asked_and_none_twice(n: int, count: int, k: int, seed: int) -> None:
    factors = np.random.default_rng(seed).standard_normal((n, k)).round(1)
    taken = spread_sample(factors, count, seed)
    assert len(taken) == min(n, count)
    assert (np.diff(taken) > 0).all()
    assert taken.min() >= 0
    assert taken.max() < n


def test_every_row_has_the_same_chance() -> None:
    factors = np.random.default_rng(0).standard_normal((50, 2))
    taken = np.zeros(50)
    for seed in range(3_000):
        taken[spread_sample(factors, 13, seed)] += 1.0
    assert np.abs(taken / 3_000 - 13 / 50).max() < 0.04


def test_it_covers_easy_and_hard_better_than_chance() -> None:
    factors = np.random.default_rng(1).standard_normal((2_000, 2))
    spread = [factors[spread_sample(factors, 32, seed)].mean(axis=0) for seed in range(100)]
    # Means of 32 random rows would lie 1 / sqrt(32) = .18 apart.
    assert (np.std(spread, axis=0) < 0.09).all()


def test_every_quarter_of_one_factor_is_asked_in_every_quarter_of_the_next() -> None:
    first, second = (axis.ravel() for axis in np.meshgrid(np.arange(16.0), np.arange(16.0)))
    factors = np.column_stack([first, second, np.random.default_rng(0).random(256)])
    for seed in range(3):
        taken = factors[spread_sample(factors, 16, seed)] // 4.0
        assert len({(a, b) for a, b, _ in taken.tolist()}) == 16
