"""Baselines know only what training knew; the vertices and the best pair are the right ones."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.baselines import Arena, TrainedBaselines, best_pair, contenders, zero_vertices
from tenbin.risk import Anchors, mu_grid
from tests.evaluate.test_curve import estimates_of

MODELS = ("a", "b", "c")
ANCHORS = Anchors("c", 0.02, float("nan"))
MUS = mu_grid(21)


def test_the_vertices_of_training_means() -> None:
    assert zero_vertices(np.array([0.8, 0.6, 0.65, 0.7]), np.array([0.02, 0.001, 0.01, 0.004])).tolist() == [1, 3, 0]


def test_the_best_pair_is_the_pair_that_complement_each_other() -> None:
    rng = np.random.default_rng(0)
    easy = rng.random(900) < 0.5
    quality = np.stack([np.where(easy, 0.9, 0.2), np.full(900, 0.5), np.full(900, 0.9)], axis=1)
    cost = np.broadcast_to([0.001, 0.004, 0.02], (900, 3)).copy()
    realised = (rng.random((900, 3)) < quality).astype(float)
    pair = best_pair(estimates_of(quality), cost, realised, cost, ANCHORS, MODELS, MUS)
    assert pair is not None
    assert pair.tolist() == [True, False, True]


def test_two_models_have_no_best_pair() -> None:
    two = np.full((5, 2), 0.5)
    assert best_pair(estimates_of(two), two, two, two, ANCHORS, MODELS[:2], MUS) is None


def arena_of(quality: np.ndarray, cost: np.ndarray) -> Arena:
    return Arena(MODELS, ANCHORS, MUS, estimates_of(quality), cost, np.ones(len(quality)))


def test_deployable_contenders_do_not_look_at_the_test_outcomes() -> None:
    rng = np.random.default_rng(1)
    quality, cost = rng.random((40, 3)), rng.random((40, 3)) * 0.02
    trained = TrainedBaselines(
        mean_quality=np.array([0.4, 0.5, 0.6]),
        mean_cost_usd=np.array([0.001, 0.004, 0.02]),
        group_quality=rng.random((40, 3)),
        knn_quality=rng.random((40, 3)),
        knn_cost_usd=cost,
        pair=np.array([True, False, True]),
    )
    arena = arena_of(quality, cost)
    one = contenders(arena, trained, rng.random((40, 3)), cost, lambda _done: None)
    other = contenders(arena, trained, rng.random((40, 3)), rng.random((40, 3)), lambda _done: None)
    assert [c.name for c in one] == [
        *("router", "z_test", "z_train", "group_table", "carrot_knn", "mean_cost", "best_pair", "oracle")
    ]
    assert {c.name for c in one if not c.deployable} == {"z_test", "oracle"}
    for mine, same in zip(one, other, strict=True):
        if mine.deployable:
            assert np.array_equal(mine.choices, same.choices)


def test_the_mean_cost_rule_differs_in_dollars_only() -> None:
    quality = np.tile([0.5, 0.6, 0.9], (2, 1))
    cost = np.array([[0.001, 0.004, 0.02], [0.001, 0.004, 0.002]])
    trained = TrainedBaselines(quality[0], cost[0], None, None, None, None)
    made = {c.name: c for c in contenders(arena_of(quality, cost), trained, quality, cost, lambda _done: None)}
    assert "group_table" not in made
    assert np.array_equal(made["mean_cost"].choices[:, 0], made["mean_cost"].choices[:, 1])
    assert np.array_equal(made["mean_cost"].choices[:, 0], made["router"].choices[:, 0])
    assert not np.array_equal(made["router"].choices[:, 0], made["router"].choices[:, 1])
