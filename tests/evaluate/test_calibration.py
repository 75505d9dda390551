"""Calibration figures on cases small enough to work out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.evaluate.calibration import amount_rows, quality_rows


def test_a_perfect_forecast_has_no_error() -> None:
    observed = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    rows = quality_rows(("a", "b"), np.ones((4, 2)), observed, observed)
    assert [row.model for row in rows] == ["", "a", "b"]
    assert all((row.brier, row.ece, row.r2) == (0.0, 0.0, 1.0) for row in rows)


def test_brier_and_ece_by_hand() -> None:
    predicted, observed = np.full((10, 1), 0.8), np.array([[1.0]] * 6 + [[0.0]] * 4)
    row = quality_rows(("a",), np.ones((10, 1)), predicted, observed)[1]
    assert row.brier == pytest.approx(0.6 * 0.04 + 0.4 * 0.64)
    assert row.ece == pytest.approx(0.2)
    assert row.r2 == pytest.approx(1.0 - 0.28 / 0.24)
    assert len(row.bins) == 1


def test_bins_hold_equal_mass_and_follow_the_forecast() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.random((5000, 1))
    bins = quality_rows(("a",), np.ones((5000, 1)), predicted, (rng.random((5000, 1)) < predicted).astype(float))[
        1
    ].bins
    assert [b.n for b in bins] == [500] * 10
    assert all(abs(b.predicted - b.observed) < 0.08 for b in bins)
    assert [b.predicted for b in bins] == sorted(b.predicted for b in bins)


def test_unlabelled_cells_and_models_are_left_out() -> None:
    predicted = np.full((3, 2), 0.5)
    observed = np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, np.nan]])
    rows = quality_rows(("a", "b"), np.ones((3, 2)), predicted, observed)
    assert [(row.model, row.n) for row in rows] == [("", 2), ("a", 2)]
    assert amount_rows(("a", "b"), np.ones((3, 2)), np.full((3, 2), np.nan), observed) == ()


def test_weights_count_like_copies() -> None:
    predicted, observed = np.array([[0.2], [0.6]]), np.array([[0.0], [1.0]])
    often = [0, 0, 0, 1]
    weighed = quality_rows(("a",), np.array([[3.0], [1.0]]), predicted, observed)[1]
    copied = quality_rows(("a",), np.ones((4, 1)), predicted[often], observed[often])[1]
    assert weighed.brier == pytest.approx(copied.brier)
    assert weighed.mean_observed == pytest.approx(copied.mean_observed)
    assert weighed.ece == pytest.approx(copied.ece) == pytest.approx((3 * 0.2 + 0.4) / 4)


@pytest.mark.parametrize("times", [(3, 1, 1), (1, 1, 2), (2, 1, 1), (1, 1, 1)])
def test_weights_count_like_copies_in_the_errors_of_amounts(times: tuple[int, int, int]) -> None:
    predicted, observed = np.array([[110.0], [240.0], [480.0]]), np.array([[100.0], [200.0], [300.0]])
    often = np.repeat(np.arange(3), times)
    weighed = amount_rows(("a",), np.array(times, dtype=float)[:, None], predicted, observed)[1]
    copied = amount_rows(("a",), np.ones((often.size, 1)), predicted[often], observed[often])[1]
    for figure in ("median_ape", "ratio_of_means", "r2_log"):
        assert getattr(weighed, figure) == pytest.approx(getattr(copied, figure))


def test_a_constant_candidate_has_no_explained_share_and_leaves_that_of_the_others() -> None:
    rng = np.random.default_rng(0)
    observed = np.column_stack([rng.random(150), np.full(150, 1.1 / 3.0)])  # its mean is off by a rounding
    whole, _, constant = quality_rows(("a", "b"), rng.random((150, 2)) + 0.5, 0.5 * observed, observed)
    assert math.isnan(constant.r2)
    assert -20.0 < whole.r2 < 1.0
    assert math.isnan(amount_rows(("a",), np.ones((150, 1)), observed[:, :1], 300.0 + 0.0 * observed[:, :1])[1].r2_log)


def test_amounts_by_hand() -> None:
    observed = np.array([[100.0], [200.0], [400.0]])
    row = amount_rows(("a",), np.ones((3, 1)), observed * 1.5, observed)[1]
    assert row.ratio_of_means == pytest.approx(1.5)
    assert row.median_ape == pytest.approx(0.5)
    assert row.r2_log == pytest.approx(1.0)  # the level is judged by the ratio alone


def test_free_calls_have_no_logarithm() -> None:
    free = np.zeros((3, 1))
    row = amount_rows(("a",), np.ones((3, 1)), free, free)[1]
    assert math.isnan(row.r2_log)
    assert math.isnan(row.ratio_of_means)
    assert math.isnan(row.median_ape)
