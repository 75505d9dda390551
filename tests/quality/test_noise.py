"""Noise is told apart as far as things were done twice, and no further."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.quality.noise import label_noise
from tenbin.types import Floats


def labels(rng: np.random.Generator, n: int, answering: float, grading: float) -> tuple[Floats, Floats, Floats]:
    """First labels, labels of second answers, second grades of the first answers; [n, 3] each."""
    truth = rng.normal(0.5, 0.3, (n, 3))
    first, second = (truth + rng.normal(0.0, answering, truth.shape) for _ in range(2))
    return (
        first + rng.normal(0.0, grading, truth.shape),
        second + rng.normal(0.0, grading, truth.shape),
        first + rng.normal(0.0, grading, truth.shape),
    )


def test_the_parts_are_told_apart() -> None:
    quality, again, regraded = labels(np.random.default_rng(0), 3000, answering=0.15, grading=0.1)
    noise = label_noise(quality, again, regraded)
    assert noise.grading_sd.value == pytest.approx(0.1, rel=0.05)
    assert noise.answering_sd == pytest.approx(0.15, rel=0.05)
    assert noise.label_sd.value == pytest.approx(math.hypot(0.1, 0.15), rel=0.05)
    assert noise.reliability == pytest.approx(0.09 / (0.09 + 0.01 + 0.0225), rel=0.05)
    assert noise.label_sd_of == pytest.approx([noise.label_sd.value] * 3, rel=0.05)
    assert noise.notes == ()


def test_the_interval_covers_with_ten_prompts() -> None:
    rng, hits = np.random.default_rng(1), 0
    for _ in range(300):
        quality, again, regraded = labels(rng, 10, answering=0.15, grading=0.1)
        found = label_noise(quality, again, regraded).label_sd
        hits += found.low <= math.hypot(0.1, 0.15) <= found.high
    assert 0.88 <= hits / 300 <= 0.99


def test_what_was_never_done_twice_is_not_guessed() -> None:
    quality, again, regraded = labels(np.random.default_rng(2), 20, answering=0.2, grading=0.1)
    nothing = np.full_like(quality, np.nan)
    only_graded = label_noise(quality, nothing, regraded)
    assert math.isnan(only_graded.label_sd.value)
    assert math.isnan(only_graded.answering_sd)
    assert math.isnan(only_graded.reliability)
    assert np.isnan(only_graded.label_sd_of).all()
    assert math.isfinite(only_graded.grading_sd.value)
    assert ["answered twice" in note for note in only_graded.notes] == [True]
    only_answered = label_noise(quality, again, nothing)
    assert math.isfinite(only_answered.label_sd.value)
    assert math.isnan(only_answered.answering_sd)
    assert ["graded twice" in note for note in only_answered.notes] == [True]


def test_a_model_with_few_pairs_is_drawn_to_all_of_them() -> None:
    quality, again, _ = labels(np.random.default_rng(3), 40, answering=0.2, grading=0.0)
    again[2:, 2] = np.nan
    again[:2, 2] = quality[:2, 2]
    noise = label_noise(quality, again, np.full_like(quality, np.nan))
    own = math.sqrt(np.mean(0.5 * (quality - again)[:, 0] ** 2))
    # Two pairs without noise beside eight lent ones of the pooled noise.
    assert noise.label_sd_of[2] == pytest.approx(noise.label_sd.value * math.sqrt(8.0 / 10.0))
    assert abs(noise.label_sd_of[0] - own) < abs(noise.label_sd.value - own)


def test_of_two_pairs_nothing_is_told_and_of_one_query_no_interval() -> None:
    quality, nothing = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]), np.full((2, 3), np.nan)
    again = np.array([[0.7, 0.9, np.nan], [np.nan, np.nan, np.nan]])
    with np.errstate(all="raise"):
        assert math.isnan(label_noise(quality, again, nothing).label_sd.value)
    again[0, 2] = 0.5
    of_one = label_noise(quality, again, nothing).label_sd
    assert of_one.value == pytest.approx(math.sqrt(0.5 * (0.04 + 0.16) / 3))
    assert math.isnan(of_one.low)
    assert math.isnan(of_one.high)
    again[1, 0] = 0.5
    # The halves sum to .1 on the one query and 0 on the other: mean .1 / 4, off .1 - 3 x .025 and -.025.
    error = math.sqrt(2.0 * 2.0 * 0.025**2) / 4.0
    factor = math.exp(1.959964 * error / 0.025)
    of_two = label_noise(quality, again, nothing).label_sd
    expected = [math.sqrt(0.025), math.sqrt(0.025 / factor), math.sqrt(0.025 * factor)]
    assert [of_two.value, of_two.low, of_two.high] == pytest.approx(expected)


def test_the_spread_is_that_within_models_of_two_labels_or_more() -> None:
    nan = math.nan
    quality = np.array([[0.2, 0.9, nan], [0.4, nan, nan], [0.9, nan, nan]])
    again = np.array([[0.3, nan, nan], [0.3, nan, nan], [0.9, nan, nan]])
    noise = label_noise(quality, again, np.full_like(quality, nan))
    assert noise.reliability == pytest.approx(1.0 - (0.01 / 3) / np.var([0.2, 0.4, 0.9], ddof=1))
    assert (noise.n_reanswered, noise.n_regraded) == (3, 0)
    only_one_each = label_noise(quality[:1], quality[:1], np.full((1, 3), nan))
    assert math.isnan(only_one_each.reliability)


def test_pairs_that_are_all_alike_leave_open_that_one_in_so_many_differs() -> None:
    few, many = (label_noise(*(np.full((n, 2), 0.5),) * 3).label_sd for n in (20, 300))
    assert (few.low, many.low) == (0.0, 0.0)
    assert few.high == pytest.approx(math.sqrt(0.5 * (1.0 - 0.05 ** (1.0 / 20))))
    assert many.high == pytest.approx(math.sqrt(0.5 * 3.0 / 300), rel=0.01)  # the rule of three


def test_gradings_that_are_all_alike_show_no_noise_and_others_may_show_nothing_else() -> None:
    quality = np.array([[0.2, 0.9, math.nan], [0.4, 0.5, math.nan], [0.9, 0.1, math.nan]])
    with np.errstate(all="raise"):
        silent = label_noise(quality, quality, quality)
        assert (silent.label_sd.value, silent.answering_sd, silent.reliability) == (0.0, 0.0, 1.0)
        all_luck = label_noise(quality, 1.0 - quality, 1.0 - quality + 0.5)
    assert all_luck.grading_sd.value > all_luck.label_sd.value
    assert all_luck.answering_sd == 0.0
    assert label_noise(0.5 + 0.1 * (quality - 0.5), 1.0 - quality, quality).reliability == 0.0
