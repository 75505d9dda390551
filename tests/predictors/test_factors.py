"""What candidates have in common: read off the answers alone, and believed as far as chance is not in it."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.predictors.factors import Factors
from tenbin.types import Floats

SLOPES = np.array([0.2, 0.6, 0.8, 1.0, 1.0, 1.2, 1.5, 1.7])
"""By how much each of eight candidates follows the common difficulty; their mean is 1."""


def answers(n: int, slopes: Floats, seed: int = 0, noise: float = 1.0) -> Floats:
    """Scores [n, M] of one difficulty and noise of each candidate's own."""
    rng = np.random.default_rng(seed)
    return np.outer(rng.normal(size=n), slopes) + noise * rng.normal(size=(n, len(slopes))) + np.arange(len(slopes))


def followed(target: Floats) -> tuple[Floats, float]:
    """What `Factors.followed` says, as one slope per candidate, the mean of all being 1."""
    factors, scores = Factors.learn(target, np.ones_like(target))
    expected, belief = factors.followed(scores)
    return 1.0 + factors.rotation[:, 1:] @ expected / factors.rotation[:, 0], belief


def test_each_candidate_follows_as_its_answers_go_with_those_of_the_others() -> None:
    slopes, belief = followed(answers(4000, SLOPES))
    # A candidate's own slope is not among those it is held against, hence a little off.
    others = (SLOPES.sum() - SLOPES) * SLOPES
    np.testing.assert_allclose(slopes, others / others.mean(), atol=0.08)
    assert belief > 0.95


def test_some_dozens_of_rows_tell_it_and_louder_noise_does_not_bend_it() -> None:
    slopes, belief = followed(answers(60, SLOPES))
    assert np.corrcoef(slopes, SLOPES)[0, 1] > 0.8
    assert 0.5 < belief < 0.99
    loud = SLOPES.copy()
    target = answers(4000, loud)
    target[:, 0] += 3.0 * np.random.default_rng(1).normal(size=4000)
    assert followed(target)[0][0] == pytest.approx(followed(answers(4000, SLOPES))[0][0], abs=0.15)


def test_what_chance_alone_tells_apart_is_not_believed() -> None:
    equal = [followed(answers(80, np.ones(8), seed))[1] for seed in range(30)]
    assert np.mean(equal) < 0.4
    unlike = [followed(answers(80, np.zeros(8), seed))[1] for seed in range(30)]
    assert np.mean(unlike) < 0.4


def test_of_two_candidates_nobody_can_tell_and_constant_ones_do_not_follow() -> None:
    slopes, belief = followed(answers(500, np.array([0.5, 1.5])))
    assert belief == 0.0
    np.testing.assert_array_equal(slopes, 1.0)
    target = answers(500, SLOPES)
    target[:, 3] = 0.5
    assert followed(target)[0][3] == pytest.approx(0.0, abs=1e-9)
    assert followed(np.full((50, 4), 0.5))[1] == 0.0


def test_a_candidate_with_few_labels_changes_nothing_for_the_others() -> None:
    target = answers(600, SLOPES)
    target[20:, 7] = np.nan
    factors, scores = Factors.learn(target, np.ones_like(target))
    expected, belief = factors.followed(scores)
    alone, _ = followed(target[:, :7])
    np.testing.assert_allclose(1.0 + factors.rotation[:7, 1:] @ expected / factors.rotation[0, 0], alone, atol=1e-9)
    assert belief > 0.5
