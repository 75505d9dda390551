"""Contenders along their dials."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.curve import chosen, constant, ladder_of, swept
from tenbin.risk import Anchors, mu_grid
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
