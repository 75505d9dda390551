"""Payback is labelling dollars over dollars saved per query, and "never" where nothing is saved."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.evaluate.payback import payback_of


def test_queries_to_pay_back() -> None:
    payback = payback_of(20.0, 0.99, np.full(101, 0.006), np.full(101, 0.01))
    assert payback.queries.value == pytest.approx(5000.0)
    assert payback.saving_usd.value == pytest.approx(0.004)


@pytest.mark.parametrize(("labelling_usd", "routed_usd"), [(20.0, 0.02), (20.0, 0.01), (0.0, 0.01)])
def test_no_saving_never_pays(labelling_usd: float, routed_usd: float) -> None:
    with np.errstate(all="raise"):
        payback = payback_of(labelling_usd, 0.99, np.full(101, routed_usd), np.full(101, 0.01))
    assert math.isnan(payback.queries.value)
    assert math.isnan(payback.queries.low)


def test_resamples_that_save_much_leave_no_payback_below_nought() -> None:
    saved = np.concatenate([[0.001], np.full(100, 0.01)])  # the sample saves least, so its interval is drawn out
    queries = payback_of(20.0, 0.99, np.zeros(101), saved).queries
    assert (queries.value, queries.low) == (pytest.approx(20_000.0), 2000.0)
    saved = np.concatenate([[0.01], np.full(100, 0.001)])
    queries = payback_of(20.0, 0.99, np.zeros(101), saved).queries
    assert (queries.value, queries.low) == (pytest.approx(2000.0), 0.0)


def test_unknown_labelling_cost_is_unknown() -> None:
    assert math.isnan(payback_of(math.nan, 0.99, np.zeros(11), np.ones(11)).queries.value)
