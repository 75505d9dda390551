"""p-values of being like the training prompts: calibrated, monotone, falling to nothing, the same after a save."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.router.likeness import BEYOND_SD, Likeness, Tail

SCORES = st.lists(st.floats(0.0, 10.0, allow_nan=False), min_size=1, max_size=60)


@given(SCORES, st.floats(0.0, 20.0))
def test_p_is_never_below_the_conformal_rank_within_the_scores_of_training(scores, new):
    given_scores = np.array(scores)
    p = float(Tail.learn(given_scores, 30.0).p(np.array([new]))[0])
    rank = (1 + np.count_nonzero(given_scores >= new)) / (len(scores) + 1)
    assert 0.0 <= p <= 1.0
    if new <= given_scores.max():
        assert p >= rank - 1e-12


@given(SCORES)
def test_odder_is_never_likelier(scores):
    p = Tail.learn(np.array(scores), 12.0).p(np.linspace(0.0, 13.0, 200))
    assert (np.diff(p) <= 1e-12).all()
    assert p[-1] == 0.0


@pytest.mark.parametrize("n", [20, 200, 5_000])
def test_at_most_a_share_p_of_new_prompts_like_those_of_training_has_one_of_p_or_less(n):
    rng = np.random.default_rng(n)
    found = []
    for _ in range(40):
        likeness = Likeness.learn(np.minimum(rng.beta(20, 1, n), 0.99), rng.gamma(9.0, 1.0, n))
        found.append(likeness.p(np.minimum(rng.beta(20, 1, 2_000), 0.99), rng.gamma(9.0, 1.0, 2_000)))
    p = np.concatenate(found)
    for level in (0.02, 0.05, 0.2):
        if level >= 2.0 / (n + 1):
            assert (p <= level).mean() <= level * 1.05


def test_either_sign_alone_tells_of_a_stranger():
    rng = np.random.default_rng(0)
    sd = rng.uniform(0.2, 0.4, 500)
    likeness = Likeness.learn(rng.uniform(0.8, 1.0, 500), sd)
    usual, unknown, far = likeness.p(np.array([0.95, 0.0, 0.95]), np.array([0.3, 0.3, BEYOND_SD * sd.max()]))
    assert usual > 0.2
    assert unknown == far == 0.0


def test_an_sd_that_says_nothing_makes_nobody_a_stranger():
    sd = np.full(50, 0.1)
    likeness = Likeness.learn(np.ones(50), sd)
    assert likeness.p(np.ones(3), 0.1 * np.array([1.0 - 1e-9, 1.0, 1.0 + 1e-9])).tolist() == [1.0, 1.0, 1.0]


def test_where_all_prompts_were_alike_a_small_departure_is_no_stranger():
    likeness = Likeness.learn(np.ones(120), np.full(120, 0.004))
    assert likeness.p(np.ones(2), np.array([0.04, 10.0])).tolist() == [1.0, 0.0]


def test_a_saved_likeness_says_the_same():
    rng = np.random.default_rng(3)
    likeness = Likeness.learn(rng.random(3_000), rng.random(3_000))
    asked = rng.random(100), rng.random(100) * 2.0
    np.testing.assert_array_equal(Likeness.load(likeness.save()).p(*asked), likeness.p(*asked))
    assert sum(array.size for array in likeness.save().values()) <= 2_056
