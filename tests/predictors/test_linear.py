"""Ridge from sums equals ridge from rows, and leave-one-out equals leaving one out."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.predictors.linear import fit_linear
from tenbin.types import Floats


def problem(n: int = 60, p: int = 8, t: int = 3) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, p))
    z = x @ rng.normal(size=(p, t)) + rng.normal(size=(n, t))
    return x - x.mean(axis=0), z - z.mean(axis=0)


def refitted_without_each_row(x: Floats, z: Floats, penalty: float) -> Floats:
    """What a fit without the row, centred anew, predicts for it."""
    told = np.empty_like(z)
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        centre, mean = x[rest].mean(axis=0), z[rest].mean(axis=0)
        part = x[rest] - centre
        slopes = np.linalg.solve(part.T @ part + penalty * np.eye(x.shape[1]), part.T @ (z[rest] - mean))
        told[i] = (x[i] - centre) @ slopes + mean
    return told


@pytest.mark.parametrize("penalty", [0.1, 10.0, 1e4])
def test_leave_one_out_equals_refitting_without_each_row(penalty: float) -> None:
    # Two hundred targets on sixty rows: no other set of rows has the same sums of squares for all of them.
    x, z = problem(t=200)
    fit = fit_linear(x, z, np.arange(60) % 5, (penalty,))
    errors = z - refitted_without_each_row(x, z, penalty)
    np.testing.assert_allclose(fit.noise, (errors**2).mean(axis=0), rtol=1e-9)


def test_slopes_are_those_of_least_squares_with_a_row_for_each_penalised_slope() -> None:
    x, z = problem()
    fit = fit_linear(x, z, np.arange(60) % 5)
    for t in range(z.shape[1]):
        rows = np.vstack([x, np.sqrt(fit.penalty[t]) * np.eye(x.shape[1])])
        expected = np.linalg.lstsq(rows, np.append(z[:, t], np.zeros(x.shape[1])))[0]
        np.testing.assert_allclose(fit.slopes[:, t], expected, rtol=0, atol=1e-9)


def test_out_of_fold_predictions_equal_refitting_without_the_fold() -> None:
    x, z = problem()
    folds = np.arange(60) % 3
    fit = fit_linear(x, z, folds)
    for fold in range(3):
        rest, out = folds != fold, folds == fold
        for t in range(z.shape[1]):
            gram = x[rest].T @ x[rest] + fit.penalty[t] * np.eye(x.shape[1])
            expected = x[out] @ np.linalg.solve(gram, x[rest].T @ z[rest, t])
            np.testing.assert_allclose(fit.out_of_fold[out, t], expected, rtol=0, atol=1e-9)


def test_the_penalty_is_the_one_of_least_leave_one_out_error() -> None:
    x, z = problem()
    penalties = (1.0, 100.0, 1e5)
    fit = fit_linear(x, z, np.arange(60) % 5, penalties)
    errors = np.array([((z - refitted_without_each_row(x, z, a)) ** 2).mean(axis=0) for a in penalties])
    assert np.array_equal(fit.penalty, np.array(penalties)[errors.argmin(axis=0)])
    np.testing.assert_allclose(fit.noise, errors.min(axis=0))
