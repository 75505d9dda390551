"""Who answers a stranger: the reference while the budget lasts, then the cheapest, or the dial where neither is due."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenbin.risk import Anchors, choose, losses, name_order
from tenbin.strangers import STRANGER, Strangers, strange, strangers_of
from tenbin.types import Estimates, Floats, TradeOff

ANCHORS = Anchors("b", 1.0, 2.0)
RANK = name_order(("a", "b", "c"))
REFERENCE = 1
mus = st.sampled_from([0.0, 1e-3, 0.1, 0.5, 0.9, 0.999, 1.0])


def estimates_of(likeness: Floats, seed: int = 0) -> Estimates:
    cells = np.random.default_rng(seed).random((len(likeness), 3))
    return Estimates(cells, 0.1 * cells, 0.1 * cells, cells, cells, 2.0 * cells, likeness=likeness)


@st.composite
def grounds(draw: st.DrawFn) -> tuple[Estimates, Floats, np.ndarray, TradeOff]:
    """Some queries, more than half of them strangers, with their dollars and who may answer them."""
    n = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    likeness = np.where(rng.random(n) < 0.6, STRANGER * rng.random(n), 0.5)
    cost = rng.choice([0.0, 0.01, 0.5, 1.0, 4.0], (n, 3))
    cost[rng.random((n, 3)) < 0.1] = np.nan
    eligible = rng.random((n, 3)) < 0.7
    eligible[:, 0] |= ~eligible.any(axis=1)
    trade_off = TradeOff(draw(mus), draw(st.sampled_from([0.0, 0.4, 1.0])))
    return estimates_of(likeness, seed=n), cost, eligible, trade_off


def found(ground: tuple[Estimates, Floats, np.ndarray, TradeOff]) -> Strangers:
    estimates, cost, eligible, trade_off = ground
    return strangers_of(estimates, cost, trade_off, ANCHORS, REFERENCE, RANK, eligible)


@given(grounds(), st.none() | st.sampled_from([0.0, 0.3, 1.0, 5.0]))
def test_only_strangers_that_the_reference_may_answer_are_sent_and_never_beyond_the_budget(ground, budget):
    estimates, cost, eligible, trade_off = ground
    strangers = found(ground)
    sent = strangers.sent(trade_off.mu, budget)
    assert set(strangers.rows.tolist()) <= set(strange(estimates.likeness))
    spent = 0.0
    for i, cheapest, extra, place in zip(strangers.rows, strangers.cheapest, strangers.extra_usd, sent, strict=True):
        assert eligible[i, REFERENCE]
        assert eligible[i, cheapest]
        assert cost[i, cheapest] == np.nanmin(np.where(eligible[i], cost[i], np.nan))
        assert extra == cost[i, REFERENCE] - cost[i, cheapest] >= 0.0
        spent += extra if place == "reference" else 0.0
    if budget is not None and trade_off.mu > 0.0:
        assert spent <= budget + 1e-12
    assert ("cheapest" in sent) <= (budget is not None and trade_off.mu > 0.0)


@given(grounds())
def test_a_stranger_is_left_to_the_dial_exactly_where_not_even_the_whole_quality_would_pay(ground):
    _, cost, _, trade_off = ground
    strangers = found(ground)
    seconds = ground[0].latency_s
    for at, i in enumerate(strangers.rows.tolist()):
        pair = [REFERENCE, int(strangers.cheapest[at])]
        loss = losses(np.array([[1.0, 0.0]]), cost[[i]][:, pair], seconds[[i]][:, pair], trade_off, ANCHORS)[0]
        could_pay = bool(loss[0] <= loss[1] + 1e-12) and trade_off.mu < 1.0
        assert (strangers.sent(trade_off.mu)[at] is not None) == could_pay


@given(grounds())
def test_the_curve_and_the_single_decision_send_alike(ground):
    estimates, cost, eligible, trade_off = ground
    strangers = found(ground)
    grid = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    dial = choose(losses(estimates.quality, cost, estimates.latency_s, trade_off, ANCHORS), cost, RANK, eligible)
    chosen = strangers.sheltered(np.tile(dial, (5, 1)), grid)
    for k, mu in enumerate(grid.tolist()):
        expected = dial.copy()
        for i, place in zip(strangers.rows.tolist(), strangers.sent(mu), strict=True):
            expected[i] = REFERENCE if place == "reference" else expected[i]
        assert chosen[k].tolist() == expected.tolist()


def test_more_weight_on_cost_sends_no_more_strangers_to_the_reference():
    estimates = estimates_of(np.zeros(50))
    cost = np.random.default_rng(1).random((50, 3)) * 5.0
    strangers = found((estimates, cost, np.ones((50, 3), dtype=bool), TradeOff(0.0)))
    sent = [strangers.sent(mu).count("reference") for mu in np.linspace(0.0, 1.0, 21).tolist()]
    assert sent == sorted(sent, reverse=True)
    assert (sent[0], sent[-1]) == (50, 0)


def test_the_budget_is_used_in_order_and_what_does_not_fit_is_not_begun():
    cost = np.array([[0.1, 1.1, 2.0], [0.1, 3.1, 0.2], [0.1, 1.1, 0.1]])
    ground = estimates_of(np.zeros(3)), cost, np.ones((3, 3), dtype=bool), TradeOff(0.1)
    strangers = found(ground)
    assert strangers.sent(0.1, 2.0) == ("reference", "cheapest", "reference")
    assert strangers.sent(0.1, 1.5) == ("reference", "cheapest", "cheapest")
    assert strangers.sent(0.0, 0.0) == ("reference",) * 3
    assert strangers.cheapest.tolist() == [0, 0, 0]


def test_nobody_is_a_stranger_where_nobody_has_asked_or_the_text_is_just_usual_enough():
    estimates = estimates_of(np.array([STRANGER, np.nextafter(STRANGER, 1.0)]))
    everyone, cost = np.ones((2, 3), dtype=bool), np.ones((2, 3))
    assert found((estimates, cost, everyone, TradeOff(0.1))).rows.tolist() == [0]
    assert found((replace(estimates, likeness=None), cost, everyone, TradeOff(0.1))).rows.size == 0
