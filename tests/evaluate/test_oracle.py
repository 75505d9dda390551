"""The oracle without luck: near the truth where the naive one is far above it, in made worlds of known quality."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.evaluate.oracle import head_room, noise_free
from tenbin.types import Floats

COST_USD = np.array([1.0, 0.3, 0.05])


def world(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """The true chance of being right [n, 3]."""
    hard = rng.random(n) < 0.5
    if kind == "alike":
        return np.tile([0.8, 0.7, 0.5], (n, 1))
    if kind == "halves":
        return np.stack([np.full(n, 0.9), np.where(hard, 0.55, 0.9), np.where(hard, 0.1, 0.88)], axis=1)
    together = 1.2 * rng.normal(size=(n, 1))
    truth: Floats = 1.0 / (1.0 + np.exp(-(np.array([1.5, 1.0, 0.0]) + together + 0.8 * rng.normal(size=(n, 3)))))
    return truth


@pytest.mark.parametrize("kind", ["alike", "halves", "graded"])
def test_luck_is_taken_out(kind: str) -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(12):
        truth = world(kind, 300, rng)
        cost = COST_USD * rng.uniform(0.8, 1.2, size=truth.shape)
        labels = (rng.random(truth.shape) < truth).astype(np.float64)
        noise = (truth * (1.0 - truth)).mean(axis=0)
        found.append([head_room(labels, cost, noise, 0), head_room(labels, cost, 0.0 * noise, 0),
                      head_room(truth, cost, 0.0 * noise, 0)])  # fmt: skip
    corrected, naive, true = np.mean(found, axis=0).tolist()
    assert naive > true + 0.1
    assert abs(corrected - true) < (naive - true) / 5.0


@pytest.mark.parametrize("n", [40, 300])
def test_many_candidates_on_few_prompts_are_not_each_others_luck(n: int) -> None:
    rng = np.random.default_rng(3)
    luck = []
    for _ in range(10):
        labels = (rng.random((n, 14)) < 0.6).astype(np.float64)
        best = labels.mean(axis=0).max()
        luck.append(
            (noise_free(labels, np.full(14, 0.24)).max(axis=1).mean() - best) / (labels.max(axis=1).mean() - best)
        )
    assert np.mean(luck) < 0.25


def test_labels_without_noise_stay_and_pure_noise_leaves_the_means() -> None:
    rng = np.random.default_rng(1)
    labels = rng.random((50, 3))
    np.testing.assert_allclose(noise_free(labels, np.zeros(3)), labels, atol=1e-9)
    everything = labels.var(axis=0, ddof=1) * 5.0
    np.testing.assert_allclose(noise_free(labels, everything), np.tile(labels.mean(axis=0), (50, 1)), atol=1e-9)


def test_the_spread_is_that_of_what_the_labels_measure() -> None:
    rng = np.random.default_rng(2)
    skill = rng.normal(size=(4000, 1)) * np.array([0.2, 0.1, 0.05])
    labels = 0.5 + skill + rng.normal(size=(4000, 3)) * 0.3
    free = noise_free(labels, np.full(3, 0.09))
    np.testing.assert_allclose(np.cov(free.T), np.cov(skill.T), atol=0.006)
