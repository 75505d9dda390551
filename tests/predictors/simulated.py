"""Simulated outcomes with known truth, for the predictors' tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.types import Features, Floats, Ints


@dataclass(frozen=True)
class World:
    """Features, the true expectation [n, M], observed outcomes [n, M], weights [n, M] of one, folds [n]."""

    features: Features
    truth: Floats
    target: Floats
    weight: Floats
    folds: Ints


def features(n: int, rng: np.random.Generator, dim: int = 24, groups: int = 4) -> Features:
    member = rng.integers(0, groups, n) if groups else np.zeros(n, dtype=np.int64)
    centres = np.random.default_rng(99).normal(size=(max(groups, 1), dim))
    vectors = rng.normal(size=(n, dim)) + centres[member]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Features(
        vectors=vectors.astype(np.float32),
        surface=rng.normal(size=(n, 5)).astype(np.float32),
        groups=tuple(f"g{k}" for k in member) if groups else (None,) * n,
        text_tokens=rng.integers(20, 400, n).astype(np.float64),
        input_tokens=np.full(n, np.nan),
        familiarity=np.ones(n),
        novelty=np.zeros(n),
    )


def world(n: int = 600, m: int = 5, seed: int = 0, signal: float = 0.5, tie: float = 0.3) -> World:
    """Binary outcomes: `signal` scales what the text says, `tie` how far the models' means lie apart."""
    rng = np.random.default_rng(seed)
    seen = features(n, rng)
    fixed = np.random.default_rng(7)
    common, own = fixed.normal(size=24), fixed.normal(size=(24, m))
    score = seen.vectors @ (2.0 * common[:, None] + own) * signal
    truth = 1.0 / (1.0 + np.exp(-(score + np.linspace(-tie, tie, m))))
    target = (rng.random((n, m)) < truth).astype(np.float64)
    return World(seen, truth, target, np.ones((n, m)), np.arange(n, dtype=np.int64) % 5)
