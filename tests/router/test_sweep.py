"""The sweep says at every mu what the rule says, ties and gaps included, and asks it far less often."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tenbin.risk import Anchors, choose, losses, mu_grid, name_order
from tenbin.router import sweep
from tenbin.router.sweep import Sweep
from tenbin.types import Estimates, TradeOff

ANCHORS = Anchors("a", c_ref_usd=0.25, t_ref_s=0.5)
RANK = name_order(("c", "a", "d", "b"))
# Few values, and some a rounding apart: ties at one mu, along the whole dial, and nearly so.
NEAR = st.sampled_from([0.0, 1e-10, 6e-10, 1e-9, 3e-9])
CELLS = st.builds(lambda value, blur: value + blur, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), NEAR)
ANYTHING = st.one_of(CELLS, st.floats(0.0, 1e6), st.floats(0.0, 1.0), st.just(float("nan")))
TABLE = arrays(float, (5, 4), elements=ANYTHING)


def by_the_rule(table: Sweep, mus):
    rows = []
    for mu in mus.tolist():
        at = TradeOff(mu, table.trade_off.w)
        loss = losses(table.quality, table.cost_usd, table.latency_s, at, table.anchors)
        rows.append(choose(loss, table.cost_usd, table.rank, np.broadcast_to(table.allowed, loss.shape)))
    return np.array(rows)


@settings(max_examples=200)
@given(TABLE, TABLE, TABLE, st.sampled_from([0.0, 0.3, 1.0]), arrays(bool, 4).filter(np.any))
def test_it_is_the_rule_at_every_mu(quality, cost, seconds, w, allowed) -> None:
    table = Sweep(quality, cost, seconds, TradeOff(0.0, w), ANCHORS, RANK, allowed)
    mus = mu_grid(33)
    np.testing.assert_array_equal(table.choices(mus), by_the_rule(table, mus))


def test_it_is_the_rule_on_many_rows_and_asks_it_of_a_tenth(monkeypatch) -> None:
    draw = np.random.default_rng(0)
    quality, cost = draw.random((300, 4)), np.exp(draw.normal(-3.0, 2.0, (300, 4)))
    table = Sweep(quality, cost, cost, TradeOff(0.0), ANCHORS, RANK, np.ones(4, dtype=bool))
    mus = mu_grid(401)
    asked = []
    monkeypatch.setattr(sweep, "choose", lambda loss, *rest: asked.append(len(loss)) or choose(loss, *rest))
    chosen = table.choices(mus)
    monkeypatch.undo()
    np.testing.assert_array_equal(chosen, by_the_rule(table, mus))
    assert sum(asked) < 0.1 * chosen.size


def test_parts_of_the_rows_and_mus_in_any_order_make_one_sweep(monkeypatch) -> None:
    monkeypatch.setattr(sweep, "ROWS_AT_ONCE", 20)
    draw = np.random.default_rng(0)
    quality, cost, mus = draw.random((47, 4)), draw.random((47, 4)), mu_grid(9)[[8, 0, *range(1, 8)]]
    allowed = np.array([True, False, True, True])
    estimates = Estimates.of_quality(quality)
    choices = Sweep.of(estimates, cost, ("c", "a", "d", "b"), ANCHORS, TradeOff(0.5), allowed).choices(mus)
    for k, mu in enumerate(mus):
        loss = (1 - mu) * (1 - quality) + mu * cost / 0.25 + np.where(allowed, 0.0, np.inf)
        assert np.array_equal(choices[k], loss.argmin(axis=1))


def test_caution_lowers_what_is_swept() -> None:
    cells = np.array([[0.8, 0.9]])
    estimates = Estimates(cells, 0.0 * cells, np.array([[0.0, 0.2]]), *[cells] * 3)
    at = TradeOff(0.0, caution=1.0)
    choices = Sweep.of(estimates, cells, ("a", "b"), ANCHORS, at, np.ones(2, dtype=bool)).choices(np.zeros(1))
    assert choices.tolist() == [[0]]
