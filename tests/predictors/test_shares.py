"""Stacking weights: non-negative, nothing for noise, and no more trust in a winner than its wins bear."""

from __future__ import annotations

import numpy as np

from tenbin.predictors.calibrate import CalibrationMap
from tenbin.predictors.shares import loadings, non_negative, share_borne, stacking_weights, trust_in_choice


def test_a_useful_head_is_believed_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(2000, 4))
    z = signal + rng.normal(size=(2000, 4))
    weights = stacking_weights([signal, rng.normal(size=(2000, 4))], z, 2000.0)
    assert np.all(weights >= 0.0)
    np.testing.assert_allclose(weights[0], 1.0, atol=0.1)
    assert weights[1].max() < 0.05


def test_few_labelled_rows_bear_little_of_many_differences() -> None:
    rng = np.random.default_rng(4)
    signal = rng.normal(size=(60, 14))
    z = signal + 0.5 * rng.normal(size=(60, 14))
    plenty, few = (stacking_weights([signal], z, rows) for rows in (10_000.0, 60.0))
    np.testing.assert_allclose(few[:, 0], plenty[:, 0])
    np.testing.assert_allclose(few[:, 1:], plenty[:, 1:] * share_borne(60.0, 13))
    assert 0.2 < share_borne(60.0, 13) < 0.3


def test_the_share_borne_grows_with_rows_from_nothing_to_all_and_falls_with_candidates() -> None:
    shares = [share_borne(rows, 13) for rows in (0.0, 20.0, 52.0, 200.0, 300.0)]
    assert shares == sorted(shares)
    assert shares[:3] == [0.0, 0.0, 0.0]
    assert 0.0 < shares[3] < 1.0
    assert shares[-1] == 1.0 == share_borne(50.0, 1) == share_borne(1.0, 0)
    assert share_borne(50.0, 13) < share_borne(50.0, 5)


def test_deviations_follow_the_common_factor_as_far_as_rows_tell() -> None:
    rng = np.random.default_rng(5)
    common, slopes = rng.normal(size=3000), np.array([0.5, -0.3, 0.0])
    left = np.outer(common, slopes) + 0.5 * rng.normal(size=(3000, 3))
    np.testing.assert_allclose(loadings(common, left, 3000.0), slopes * 3000 / 3200, atol=0.03)
    few = loadings(common[:50], left[:50], 50.0)
    np.testing.assert_allclose(few, loadings(common[:50], left[:50], 1e9) * share_borne(50.0, 3))
    assert np.abs(few).max() < 0.3 * 0.5  # 50 rows are believed by a fifth
    np.testing.assert_array_equal(loadings(common[:50], left[:50], 12.0), 0.0)


def test_nothing_follows_what_is_not_foretold() -> None:
    np.testing.assert_array_equal(loadings(np.zeros(100), np.ones((100, 2)), 100.0), 0.0)
    assert loadings(np.ones(100), np.ones((100, 0)), 100.0).size == 0


def test_noise_alone_gets_nothing() -> None:
    believed = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        weights = stacking_weights([0.3 * rng.normal(size=(60, 14))], rng.normal(size=(60, 14)), 60.0)
        believed.append(weights[:, 1:].max())
    assert np.mean(believed) < 0.1


def test_non_negative_weights_solve_the_problem_where_none_is_pressed_to_nought() -> None:
    rng = np.random.default_rng(1)
    heads = rng.normal(size=(5000, 3))
    target = heads @ np.array([0.2, 0.5, 0.3])
    w = non_negative(heads.T @ heads, heads.T @ target)
    np.testing.assert_allclose(w, [0.2, 0.5, 0.3], atol=0.01)


def test_a_winner_among_noisy_predictions_is_trusted_less() -> None:
    rng = np.random.default_rng(2)
    truth = 0.1 * rng.normal(size=(4000, 14))
    observed = truth + 0.4 * rng.normal(size=(4000, 14))
    # Deviations that are all but noise: a quarter of a predicted advantage goes to luck. Plain ones are kept whole.
    assert 0.75 <= trust_in_choice(truth, observed) < 0.85
    assert trust_in_choice(0.0 * truth, observed) == 0.75
    assert trust_in_choice(truth, truth + 0.01 * rng.normal(size=(4000, 14))) > 0.99


def test_the_calibration_map_is_increasing_and_near_the_truth() -> None:
    rng = np.random.default_rng(3)
    predicted = rng.uniform(-0.2, 1.2, (6000, 1))
    truth = 1.0 / (1.0 + np.exp(-8.0 * (predicted - 0.5)))
    calibration = CalibrationMap.learn(predicted, (rng.random((6000, 1)) < truth) * 1.0, np.ones((6000, 1)))
    grid = np.linspace(-0.3, 1.3, 200)
    assert np.all(np.diff(calibration.means(grid)) >= 0.0)
    before, after = np.abs(predicted - truth).mean(), np.abs(calibration.means(predicted) - truth).mean()
    assert after < 0.5 * before


def test_few_rows_leave_the_predictions_as_they_are() -> None:
    predicted = np.linspace(0.2, 0.8, 30)[:, None]
    calibration = CalibrationMap.learn(predicted, np.zeros((30, 1)), np.ones((30, 1)))
    np.testing.assert_allclose(calibration.means(predicted), predicted)
