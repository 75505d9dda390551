"""A saving over blind mixtures is told where enough queries go elsewhere than most do, and else said to be unknown."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.evaluate.blind_mixture import LEAST_ELSEWHERE, BlindMixture, blind_mixtures, lent_sd
from tenbin.evaluate.curve import Contender, constant
from tenbin.evaluate.trial import Ground, run_trial

MODELS = ("small", "mid", "large")
N = 400


def a_ground() -> Ground:
    quality = (np.random.default_rng(3).uniform(size=(N, 3)) < (0.5, 0.7, 0.9)).astype(np.float64)
    cost = np.tile([0.001, 0.002, 0.02], (N, 1))
    return Ground(quality, cost, np.full_like(cost, np.nan), np.ones(N), np.arange(N, dtype=np.int64))


def told(choices: np.ndarray, ground: Ground) -> tuple[BlindMixture, ...]:
    nothing = np.zeros(len(choices))
    points = Contender("points", "", True, nothing, ("",) * len(choices), choices, nothing, nothing)
    zero = constant("zero", "", np.arange(3), MODELS, N, deployable=True)
    trial = run_trial(ground, (zero,), points, resamples=400, seed=0, tick=lambda _: None)
    return blind_mixtures(trial, points, ground, MODELS, 2)


def sent(elsewhere: int) -> np.ndarray:
    """All queries to "mid" but so many, which go to "small"."""
    return np.where(np.arange(N) < elsewhere, 0, 1)


def test_of_fewer_than_ten_queries_that_go_elsewhere_nothing_is_said_but_why() -> None:
    none, few, enough = told(np.stack([sent(n) for n in (0, LEAST_ELSEWHERE - 1, LEAST_ELSEWHERE)]), a_ground())
    assert np.isnan([none.saving.value, none.saving.low, none.saving.high, few.saving.value]).all()
    assert none.note["en"].startswith("All 400 prompts go to mid: with fewer than 10 going elsewhere")
    assert none.note["ja"].startswith("400件のうちすべてが mid に送られます。")
    assert few.note["en"].startswith("All but 9 of 400 prompts go to mid")
    assert few.note["ja"].startswith("400件のうち9件を除くすべてが mid に送られます。")
    assert enough.saving.low < enough.saving.value < enough.saving.high
    assert enough.note == {}


def test_copies_of_a_prompt_that_go_elsewhere_count_once() -> None:
    ground = a_ground()
    cluster = np.maximum(ground.cluster - 1, 0)
    (one,) = told(sent(LEAST_ELSEWHERE)[None], replace(ground, cluster=cluster))
    assert one.note["en"].startswith("All but 9 of 399 prompts go to mid")


def test_the_candidate_that_most_go_to_may_be_the_reference() -> None:
    (all_but_few,) = told(np.where(np.arange(N) < 3, 1, 2)[None], a_ground())
    assert all_but_few.note["en"].startswith("All but 3 of 400 prompts go to large")


def test_a_quality_that_no_mixture_reaches_is_said_so() -> None:
    ground = a_ground()
    (best,) = told(ground.quality.argmax(axis=1)[None], ground)
    assert np.isnan(best.saving.value)
    assert best.note["en"] == "No mixture of single models reaches that quality."
    assert "届きません" in best.note["ja"]


@pytest.mark.parametrize("odd", range(5))
def test_the_sample_says_whether_a_quality_is_reached_whatever_the_resamples_say(odd: int) -> None:
    """All but some go to the best model, and of these one comes out better: a hair above what any mixture reaches."""
    ground = a_ground()
    ground.quality[: 2 * LEAST_ELSEWHERE, 0] = ground.quality[: 2 * LEAST_ELSEWHERE, 2]
    ground.quality[odd, [0, 2]] = (1.0, 0.0)
    (one,) = told(np.where(np.arange(N) < 2 * LEAST_ELSEWHERE, 0, 2)[None], ground)
    assert np.isnan(one.saving.value)
    assert one.note["en"] == "No mixture of single models reaches that quality."


def test_nothing_saves_more_than_everything() -> None:
    """The lean of resamples next to a free candidate would draw the cost below 0."""
    quality = (np.random.default_rng(16).uniform(size=(N, 3)) < (0.5, 0.6, 0.9)).astype(np.float64)
    ground = replace(a_ground(), quality=quality, cost_usd=np.tile([0.0, 0.01, 0.02], (N, 1)))
    (one,) = told(np.where(np.arange(N) < 20, 1, 0)[None], ground)
    assert one.saving.low < one.saving.value == one.saving.high == 1.0


def test_of_a_free_reference_nothing_can_be_saved_and_no_quality_is_called_out_of_reach() -> None:
    ground = a_ground()
    (one,) = told(sent(N // 2)[None], replace(ground, cost_usd=ground.cost_usd * (1.0, 1.0, 0.0)))
    assert (np.isnan(one.saving.value), one.note) == (True, {})


def test_what_the_few_that_go_elsewhere_might_hide_is_lent() -> None:
    ground = a_ground()
    ground.quality[:LEAST_ELSEWHERE, 0] = ground.quality[:LEAST_ELSEWHERE, 1]  # they all came out alike
    choice = sent(LEAST_ELSEWHERE)[None]
    (few,) = told(choice, ground)
    assert few.saving.value == pytest.approx(0.9)
    slope = 0.9 / (ground.quality[:, 2].mean() - ground.quality[:, 1].mean())
    lent = lent_sd(ground, choice[0], 1)
    assert few.saving.low == pytest.approx(0.9 - 1.96 * lent * slope, rel=0.01)


def test_what_few_might_hide_is_as_often_another_outcome_as_over_all_queries_and_by_as_much_as_was_seen() -> None:
    n = 200
    values = np.stack([np.ones(n), np.where(np.arange(n) < 60, 0.0, 1.0)], axis=1)
    ground = Ground(values, values, values, np.ones(n), np.arange(n))
    stays, goes = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    half = (np.arange(n) >= n // 2).astype(np.int64)  # none of those that go comes out otherwise
    assert lent_sd(ground, stays, 0) == lent_sd(ground, goes, 0) == 0.0
    assert lent_sd(ground, half, 0) == pytest.approx(math.sqrt(2.0 * 0.5 * 0.3) / n)
    values[n - 1, 1] = -3.0
    assert lent_sd(ground, half, 0) == pytest.approx(math.sqrt(2.0 * 0.5 * 61 / n * 16.0) / n)
    threefold = Ground(*(np.repeat(values, 3, axis=0),) * 3, np.ones(3 * n), np.arange(n).repeat(3))
    assert lent_sd(threefold, half.repeat(3), 0) == pytest.approx(
        lent_sd(ground, half, 0)
    )  # copies are no more queries
