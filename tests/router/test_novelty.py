"""p-values of new words: calibrated in every kind of prompt, and told apart by what is usual for the kind."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.router.novelty import MATERIAL_SHARE, Novelty

DIM = 12


def prompts(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two kinds of prompts, sums and stories, their vectors and shares of new words: few and many."""
    is_story = rng.random(n) < 0.5
    vectors = 0.2 * rng.normal(size=(n, DIM))
    vectors[:, 0] += np.where(is_story, 1.0, -1.0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = np.where(is_story, rng.beta(8, 24, n), rng.beta(4, 80, n))
    return is_story, vectors.astype(np.float32), shares


def learnt(n: int = 3_000) -> Novelty:
    _, vectors, shares = prompts(n, np.random.default_rng(0))
    return Novelty.learn(shares, vectors)


@pytest.mark.parametrize(("n", "fits"), [(60, 100), (3_000, 4)])
def test_at_most_a_share_p_of_new_prompts_has_one_of_p_or_less_in_every_kind(n, fits):
    rng = np.random.default_rng(1)
    is_story, vectors, shares = prompts(10_000, rng)
    found = []
    for _ in range(fits):
        _, own_vectors, own_shares = prompts(n, rng)
        found.append(Novelty.learn(own_shares, own_vectors).p(shares, vectors))
    p = np.array(found)
    for level in (0.02, 0.05, 0.2):
        assert (p <= level).mean() <= level * 1.1
        for kind in (is_story, ~is_story):
            assert n < 1_000 or 0.5 * level <= (p[:, kind] <= level).mean() <= 1.5 * level


def test_the_least_scatter_is_half_of_what_prompts_are_off_that_are_judged_without_themselves():
    _, vectors, shares = prompts(40, np.random.default_rng(4))
    x, penalty, off = np.column_stack([np.ones(40), vectors]), np.diag([0.0] + [30.0] * DIM), []
    for i in range(40):
        rest = np.arange(40) != i
        slopes = np.linalg.solve(x[rest].T @ x[rest] + penalty, x[rest].T @ shares[rest])
        off.append(abs(shares[i] - x[i] @ slopes))
    assert Novelty.learn(shares, vectors).floor == pytest.approx(0.5 * np.mean(off), rel=1e-6)


def test_a_share_that_is_usual_for_one_kind_is_new_for_another():
    story, sum_ = np.zeros((1, DIM), np.float32), np.zeros((1, DIM), np.float32)
    story[0, 0], sum_[0, 0] = 1.0, -1.0
    novelty, share = learnt(), np.array([0.25])
    assert novelty.p(share, story)[0] > 0.2
    assert novelty.p(share, sum_)[0] < 0.001


def test_newer_is_never_likelier_and_nothing_but_new_words_are_beyond_all():
    p = learnt().p(np.linspace(0.0, 1.0, 101), np.zeros((101, DIM), np.float32))
    assert (np.diff(p) <= 1e-12).all()
    assert (p[0], p[-1]) == (1.0, 0.0)


@pytest.mark.parametrize(("often", "least"), [(0.0, 1.0), (0.04, 1.0), (0.1, 0.0)])
def test_where_hardly_anything_was_new_no_share_says_anything_and_a_small_one_never_does(often, least):
    vectors = prompts(200, np.random.default_rng(2))[1]
    shares = np.where(np.arange(200) < 200 * often, 0.1, 0.0)
    novelty = Novelty.learn(shares, vectors)
    asked = np.array([0.0, 0.9 * MATERIAL_SHARE, 0.9])
    assert Novelty.load(novelty.save()).p(asked, vectors[-3:]).tolist() == [1.0, 1.0, least]


def test_a_row_does_not_know_of_the_others_and_a_saved_one_says_the_same():
    _, vectors, shares = prompts(50, np.random.default_rng(3))
    novelty = learnt()
    p = novelty.p(shares, vectors)
    assert [float(novelty.p(shares[[i]], vectors[[i]])[0]) for i in range(50)] == p.tolist()
    np.testing.assert_array_equal(Novelty.load(novelty.save()).p(shares, vectors), p)
