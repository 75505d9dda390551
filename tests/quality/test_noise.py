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
