"""Choices that know nothing are within chance, whatever the hull makes of them; choices that know are not."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.curve import swept
from tenbin.evaluate.metrics import scale_of
from tenbin.evaluate.permutation import chance_of
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
    assert chance(0, knows=1.0) <= 0.01


def test_copies_of_a_prompt_are_no_new_evidence() -> None:
    assert sum(chance(seed, knows=0.0, copies=10) <= 0.05 for seed in range(20)) <= 3
