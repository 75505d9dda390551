"""Choices that know nothing are within chance, whatever the hull makes of them; choices that know are not."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.curve import swept
from tenbin.evaluate.metrics import scale_of
from tenbin.evaluate.permutation import chance_of, chance_of_quality
from tenbin.evaluate.trial import Ground
from tenbin.risk import mu_grid
from tests.evaluate.test_curve import ANCHORS, MODELS, estimates_of


def chance(seed: int, knows: float, copies: int = 1) -> float:
    """The chance of a made router on 400 queries, every prompt among them `copies` times with the same outcomes."""
    rng = np.random.default_rng(seed)
    n = 400 // copies
    truth = 0.6 + rng.normal(0.0, 0.15, (n, 3))
    quality = np.repeat((rng.random((n, 3)) < truth).astype(float), copies, axis=0)
    cost = np.broadcast_to([0.001, 0.004, 0.01], (400, 3)).copy()
    guess = np.repeat(0.6 + knows * (truth - 0.6) + rng.normal(0.0, 0.05, (n, 3)), copies, axis=0)
    ground = Ground(quality, cost, np.full((400, 3), np.nan), np.ones(400), np.repeat(np.arange(n), copies))
    made = swept("router", "", estimates_of(guess), cost, MODELS, ANCHORS, mu_grid(11), ground.weight)
    return chance_of(made, ground, scale_of(quality.mean(axis=0), cost.mean(axis=0)), seed=seed)


def test_ignorance_is_within_chance() -> None:
    assert sum(chance(seed, knows=0.0) <= 0.05 for seed in range(20)) <= 3


def test_knowledge_is_beyond_chance() -> None:
    assert chance(0, knows=1.0) == 0.005  # none of 199 is as high


def test_the_quality_of_one_setting_is_beyond_chance_if_it_knows() -> None:
    rng = np.random.default_rng(5)
    quality = (rng.random((200, 2)) < 0.5).astype(float)
    ground = Ground(quality, np.ones_like(quality), np.full_like(quality, np.nan), np.ones(200), np.arange(200))
    assert chance_of_quality(quality.argmax(axis=1), ground, seed=0) == 0.005
    assert chance_of_quality(quality.argmin(axis=1), ground, seed=0) == 1.0
    assert chance_of_quality(np.zeros(200, dtype=np.int64), ground, seed=0) == 1.0  # alike however it is dealt
    blind = [chance_of_quality(rng.integers(0, 2, 200), ground, seed=seed) for seed in range(20)]
    assert sum(found <= 0.05 for found in blind) <= 3


def test_copies_of_a_prompt_are_no_new_evidence() -> None:
    assert sum(chance(seed, knows=0.0, copies=10) <= 0.05 for seed in range(20)) <= 3
