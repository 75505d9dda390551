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


def test_no_saving_never_pays() -> None:
    payback = payback_of(20.0, 0.99, np.full(101, 0.02), np.full(101, 0.01))
    assert math.isnan(payback.queries.value)
    assert math.isnan(payback.queries.low)


def test_unknown_labelling_cost_is_unknown() -> None:
    assert math.isnan(payback_of(math.nan, 0.99, np.zeros(11), np.ones(11)).queries.value)
