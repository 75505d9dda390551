"""How often a router finds its training prompts dear, at every mu."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.prices import PriceBook
from tenbin.risk import cautious_quality, choose, losses
from tenbin.router.dearness import TOLERANCE, DearCurve, dear_curve, is_dear, limit_of
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Price, TradeOff
from tests.router.made import MODELS, make_panel


@pytest.fixture(scope="module")
def router() -> Router:
    prices = {name: [Price(usd, 3.0 * usd)] for name, usd in zip(MODELS, (10.0, 1.0, 0.1), strict=True)}
    return fit(make_panel(150), PriceBook(prices), FitSettings(embedder="base", learning_curve=False))


@pytest.mark.parametrize("caution", [0.0, 1.0])
def test_the_share_is_that_of_what_the_dial_decides_out_of_fold(router: Router, caution: float) -> None:
    curve = dear_curve(router, TradeOff(0.0, caution=caution))
    estimates = router.crossfit.estimates
    cost = router.cost_usd(estimates)
    here, reference = np.arange(len(cost)), router.models.index(router.anchors.reference)
    for mu in (curve.mu[0], curve.mu[150], curve.mu[-1]):
        at = TradeOff(mu, caution=caution)
        loss = losses(cautious_quality(estimates, at), cost, estimates.latency_s, at, router.anchors)
        chosen = choose(loss, cost, router.rank)
        dear = [is_dear(*pair) for pair in zip(cost[here, chosen], cost[:, reference], strict=True)]
        assert curve.share[curve.place(mu)] == pytest.approx(np.mean(dear))
    assert curve.share[0] > 0.4
    assert curve.share[-1] == 0.0


def test_what_a_profile_denies_is_not_expected_of_it(router: Router) -> None:
    assert set(dear_curve(router, TradeOff(0.0), allow=["mid", "small"]).share) == {0.0}
    assert set(dear_curve(router, TradeOff(0.0), allow=["large"]).share) == {1.0}


def test_the_point_of_a_mu_is_the_last_one_before_it() -> None:
    curve = DearCurve((0.0, 0.2, 1.0), (1.0, 0.5, 0.0), (1.0, 0.5, 0.0))
    assert [curve.place(mu) for mu in (0.0, 0.1, 0.2, 0.9, 1.0)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("cost", "reference", "dear"),
    [(1.0, 2.0, True), (0.99, 2.0, False), (3.0, 2.0, True), (0.0, 0.0, False), (1.0, 0.0, True), (np.nan, 1.0, False)],
)
def test_dear_is_half_of_the_reference_and_not_free(cost: float, reference: float, dear: bool) -> None:
    assert is_dear(cost, reference) is dear


@settings(max_examples=100)
@given(st.integers(1, 100_000), st.floats(0.0, 1.0))
def test_the_limit_leaves_room_for_the_tolerance_and_for_few_prompts(n: int, share: float) -> None:
    limit = limit_of(share, n)
    assert share + TOLERANCE <= limit <= limit_of(share, max(n // 2, 1))
    assert limit <= share + TOLERANCE + 2.0 / (n + 2.0) ** 0.5 + 1e-12
