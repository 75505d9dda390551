"""Constant and group means: shrunk as far as luck goes, unbiased under propensities."""

from __future__ import annotations

import numpy as np

from tenbin.predictors.constant import shrunk_means
from tenbin.predictors.factors import Factors, weighted_means
from tenbin.predictors.group import GroupMeans
from tenbin.predictors.knn import KnnPredictor
from tests.predictors.simulated import world


def test_near_tied_means_are_drawn_together_and_far_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    tied = (rng.random((50, 14)) < 0.5).astype(np.float64)
    shrunk, _ = shrunk_means(tied, np.ones((50, 14)))
    assert shrunk.std() < 0.6 * tied.mean(axis=0).std()
    apart = (rng.random((2000, 14)) < np.linspace(0.1, 0.9, 14)).astype(np.float64)
    shrunk, _ = shrunk_means(apart, np.ones((2000, 14)))
    np.testing.assert_allclose(shrunk, apart.mean(axis=0), atol=0.005)


def test_a_weighted_mean_knows_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    samples = [(rng.random((400, 1)) < 0.3).astype(np.float64) for _ in range(200)]
    means = [weighted_means(s, np.ones((400, 1))) for s in samples]
    spread = float(np.std([m[0] for m, _ in means]))
    assert abs(float(np.mean([sd[0] for _, sd in means])) / spread - 1.0) < 0.2


def test_small_groups_are_drawn_to_the_mean_and_large_ones_speak() -> None:
    rng = np.random.default_rng(2)
    groups = ("large",) * 500 + ("small",) * 3 + ("other",) * 500
    truth = np.array([0.8] * 500 + [0.2] * 3 + [0.4] * 500)
    target = (rng.random(1003) < truth).astype(np.float64)[:, None]
    target[500:503] = 0.0
    table = GroupMeans.learn(groups, target, np.ones((1003, 1)))
    large, small, unknown = table.predict(("large", "small", "never seen")).mean[:, 0]
    assert abs(large - target[:500].mean()) < 0.01
    assert 0.05 < small < unknown
    assert unknown == table.overall[0]


def test_groups_that_do_not_differ_are_all_drawn_to_the_mean() -> None:
    rng = np.random.default_rng(3)
    target = (rng.random((400, 1)) < 0.5).astype(np.float64)
    table = GroupMeans.learn(tuple(f"g{i % 40}" for i in range(400)), target, np.ones((400, 1)))
    raw = np.array([target[i::40].mean() for i in range(40)])
    assert table.means.std() < 0.5 * raw.std()


def test_factors_of_complete_outcomes_lose_nothing() -> None:
    w = world(200)
    factors, scores = Factors.learn(w.target, w.weight)
    np.testing.assert_allclose(factors.means + scores @ factors.rotation.T, w.target, atol=1e-9)
    np.testing.assert_allclose(factors.rotation.T @ factors.rotation, np.eye(5), atol=1e-9)


def test_neighbours_are_the_nearest_by_cosine() -> None:
    w = world(300)
    knn = KnnPredictor()
    knn.fit(w.features, w.target, w.weight, w.folds)
    i = 17
    closeness = w.features.vectors @ w.features.vectors[i]
    nearest = np.argsort(-closeness)[: knn.k_]
    np.testing.assert_allclose(knn.predict(w.features.take([i])).mean[0], w.target[nearest].mean(axis=0))


def test_a_candidate_with_a_few_labels_hides_nothing_of_the_others() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(600, 3))
    sparse = np.full((600, 4), np.nan)
    sparse[:40] = rng.normal(size=(40, 4))
    both = np.hstack([target, sparse])
    alone, scores = Factors.learn(target, np.ones(target.shape))
    beside, scores_beside = Factors.learn(both, np.ones(both.shape))
    assert np.allclose(scores_beside, scores)
    assert np.allclose(beside.rotation[:3], alone.rotation)
    # They follow what all have in common, about means of their own.
    assert np.allclose(beside.rotation[3:, 0], alone.rotation[0, 0])
    assert not beside.rotation[3:, 1:].any()
    assert np.allclose(beside.means[3:], np.nanmean(sparse, axis=0))
    even = np.where(rng.uniform(size=both.shape) < 0.5, rng.normal(size=both.shape), np.nan)[:60]
    assert Factors.learn(even, np.ones(even.shape))[0].rotation[:, 1:].any(axis=1).all(), "few, but as many as others"
