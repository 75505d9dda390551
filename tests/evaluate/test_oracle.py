"""The oracle without luck: near the truth where the naive one is far above it, in made worlds of known quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.evaluate.oracle import head_room, measured_head_room, noise_free
from tenbin.evaluate.trial import Ground
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


@pytest.mark.parametrize("scores", [[0.1, 0.9, 0.4, 0.8], [0.2, 0.8]])
def test_one_candidates_labels_are_drawn_to_their_mean_as_far_as_they_are_noise(scores: list[float]) -> None:
    labels = np.array(scores)[:, None]
    kept = np.sqrt(1.0 - 0.03 / labels.var(ddof=1))
    with np.errstate(all="raise"):
        free = noise_free(labels, np.array([0.03]))
    np.testing.assert_allclose(free, labels.mean() + kept * (labels - labels.mean()))


def test_labels_of_one_correlation_keep_what_they_measure() -> None:
    measured = 0.04 * np.array([[1.0, 0.6, 0.6], [0.6, 1.0, 0.6], [0.6, 0.6, 1.0]])
    off = np.random.default_rng(7).normal(size=(30, 3))
    apart = np.linalg.qr(off - off.mean(axis=0))[0] * np.sqrt(29.0)  # of covariance 1, to the last bit
    labels = 0.5 + apart @ np.linalg.cholesky(measured + 0.02 * np.eye(3)).T
    np.testing.assert_allclose(np.cov(noise_free(labels, np.full(3, 0.02)).T), measured, atol=1e-12)


@pytest.mark.parametrize("pairs", range(1, 50))
def test_the_head_room_worked_by_hand(pairs: int) -> None:
    """Two candidates at one price, each right where the other is wrong: whoever knew would be right always."""
    labels, nothing = np.array([[1.0, 0.0], [0.0, 1.0]] * pairs), np.zeros(2)
    cost = np.full_like(labels, 0.0007)  # a mean of these differs by rounding with the order in which they are added
    assert head_room(labels, cost, nothing, 0) == pytest.approx(0.5)
    weight = np.array([3.0, 1.0] * pairs)
    assert head_room(labels, cost, nothing, 0, weight) == pytest.approx(0.25)


def right_or_wrong(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(6)
    labels = (rng.random((n, 3)) < world("halves", n, rng)).astype(np.float64)
    return labels, COST_USD * rng.uniform(0.8, 1.2, size=labels.shape)


def test_neither_the_currency_nor_a_reference_for_nothing_changes_what_can_be_reached() -> None:
    labels, cost = right_or_wrong(200)
    noise = np.full(3, 0.1)
    room = head_room(labels, cost, noise, 0)
    assert head_room(labels, cost * 1e-6, noise, 0) == pytest.approx(room, rel=1e-6)
    assert head_room(labels, cost * 1e3, noise, 0) == pytest.approx(room, rel=1e-6)
    cost[:, 0] = 0.0
    with np.errstate(all="raise"):
        assert np.isfinite(head_room(labels, cost, noise, 0))


def test_the_head_room_of_a_sample_has_an_interval_over_its_clusters() -> None:
    labels, cost = right_or_wrong(60)
    noise, nothing = np.full(3, 0.1), np.full_like(cost, np.nan)
    ground = Ground(labels, cost, nothing, np.ones(60), np.arange(60))
    room = measured_head_room(ground, noise, 0, seed=1)
    assert room.value == head_room(labels, cost, noise, 0)
    assert room.low < room.value < room.high
    # Of two clusters every resample is the sample, or one of them twice.
    rooms = [head_room(labels[at], cost[at], noise, 0) for at in np.tile(np.arange(60).reshape(2, 30), 2)]
    two = measured_head_room(replace(ground, cluster=np.repeat([0, 1], 30)), noise, 0, seed=1)
    assert two.low <= min(*rooms, room.value) + 1e-12
    assert two.high >= max(*rooms, room.value) - 1e-12
    for unknown in (np.array([0.1, np.nan, 0.1]), np.full(3, np.nan)):
        assert np.isnan(measured_head_room(ground, unknown, 0, seed=1).value)
    one = Ground(labels[:1], cost[:1], nothing[:1], np.ones(1), np.arange(1))
    assert np.isnan(measured_head_room(one, noise, 0, seed=1).value)
