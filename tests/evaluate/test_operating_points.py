"""A promise is set on training rows and held against what the test rows did."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.evaluate.operating_points import settings_of
from tenbin.router.crossfit import DialCurve

CURVE = DialCurve(
    mu=np.array([0.0, 0.1, 0.5, 1.0]),
    quality=np.array([0.79, 0.785, 0.72, 0.6]),
    cost_usd=np.array([0.02, 0.01, 0.004, 0.001]),
    reference_quality=0.8,
    reference_cost_usd=0.02,
)


def test_the_cheapest_mu_that_keeps_the_promise_out_of_fold() -> None:
    by_target = {s.target: s for s in settings_of(CURVE) if s.kind == "min_quality"}
    assert by_target[0.95].mu == 0.1
    assert by_target[0.95].promised_quality == 0.785
    assert by_target[0.97].promised_cost_usd == 0.01
    assert all(by_target[t].reached for t in (0.95, 0.97))


def test_an_impossible_promise_runs_at_best_quality_and_says_so() -> None:
    impossible = {s.target: s for s in settings_of(CURVE)}[0.99]
    assert (impossible.mu, impossible.reached) == (0.0, False)
    assert impossible.promised_quality == pytest.approx(0.79)
