"""Contenders along their dials, and those next in line."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.curve import (
    LEAST_IN_LINE,
    PLAIN,
    along,
    chosen,
    constant,
    ladder_of,
    next_in_line,
    swept,
)
from tenbin.risk import Anchors, mu_grid
from tenbin.router.sweep import Sweep
from tenbin.types import Estimates, Floats

MODELS = ("a", "b", "c")
ANCHORS = Anchors("c", 0.01, float("nan"))


def estimates_of(quality: Floats) -> Estimates:
    unknown = np.full_like(quality, np.nan)
    return Estimates(quality, np.zeros_like(quality), np.zeros_like(quality), unknown, unknown, unknown)


def test_promises_are_weighted_means_of_the_chosen() -> None:
    quality, cost = np.array([[0.2, 0.4, 0.9], [0.7, 0.1, 0.1]]), np.full((2, 3), 0.005)
    weight = np.array([3.0, 1.0])
    made = swept("router", "", estimates_of(quality), cost, MODELS, ANCHORS, mu_grid(3), weight)
    assert np.isclose(made.predicted_quality[0], (3 * 0.9 + 0.7) / 4)
    assert np.allclose(made.predicted_cost_usd, 0.005)


def test_a_constant_answers_everything() -> None:
    made = constant("z_train", "", np.array([2, 0]), MODELS, 4, deployable=True)
    assert made.choices.tolist() == [[2] * 4, [0] * 4]
    assert made.labels == ("c", "a")
    assert chosen(np.arange(12.0).reshape(4, 3), made.choices)[0].tolist() == [2.0, 5.0, 8.0, 11.0]


def test_the_ladder_gives_the_largest_gaps_first_and_equal_gaps_together() -> None:
    gap = np.array([0.3, -0.1, 0.1, 0.1, 0.2])
    ladder = ladder_of(np.stack([np.full(5, 0.5), 0.5 + gap], axis=1))
    called = ladder.sum(axis=1)
    assert (np.diff(called) >= 0).all()
    assert set(called.tolist()) == {0, 1, 2, 4}  # never 3: the two equal gaps go together; all five is an end
    assert ladder[called == 1][0].tolist() == [1, 0, 0, 0, 0]


def test_next_in_line_are_those_that_lose_least_by_leaving() -> None:
    n = 40
    loss = np.stack([np.zeros(n), 0.1 + np.arange(n) / n, np.full(n, 0.8)], axis=1)
    loss[0] = (0.5, 0.3, 0.2)  # has left
    loss[1:3, 1:] = np.inf  # nobody else may answer these
    choice = np.where(np.arange(n) == 0, 2, 0)
    farther = next_in_line(loss, choice, 0)
    assert np.flatnonzero(farther != choice).tolist() == list(range(3, 3 + LEAST_IN_LINE))
    assert set(farther[3:13].tolist()) == {1}
    choice[20:] = 2
    assert np.flatnonzero(next_in_line(loss, choice, 0) != choice).tolist() == list(range(3, 20))
    assert next_in_line(loss[:, :1], np.zeros(n, dtype=np.int64), 0).tolist() == [0] * n


def test_along_a_dial_the_next_in_line_are_those_of_the_next_settings() -> None:
    quality = np.stack([np.full(60, 0.9), 0.9 - np.arange(1, 61) / 100.0], axis=1)
    estimates, anchors, mus = estimates_of(quality), Anchors("a", 0.01, np.nan), np.array([0.1, 0.3])
    cost = np.tile([0.01, 0.001], (60, 1))
    choices = Sweep.of(estimates, cost, ("a", "b"), anchors, PLAIN, np.ones(2, dtype=np.bool_)).choices(mus)
    farther = along(estimates, cost, anchors, mus, choices, 0)
    assert choices.sum(axis=1).tolist() == [10, 38]
    assert farther.sum(axis=1).tolist() == [20, 60]
