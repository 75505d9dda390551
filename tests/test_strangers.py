"""Who answers a stranger: the reference while the budget lasts, then the cheapest, or the dial where neither is due."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.risk import name_order
from tenbin.strangers import STRANGER, Strangers, strange, strangers_of
from tenbin.types import Bools, Estimates, Floats

RANK = name_order(("a", "b", "c"))
REFERENCE = 1
Ground = tuple[Estimates, Bools, Floats, Bools]
mus = st.sampled_from([0.0, 1e-3, 0.1, 0.5, 0.9, 0.999, 1.0])


def estimates_of(likeness: Floats, seed: int = 0) -> Estimates:
    cells = np.random.default_rng(seed).random((len(likeness), 3))
    return Estimates(cells, 0.1 * cells, 0.1 * cells, cells, cells, 2.0 * cells, likeness=likeness)


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    """Some queries, more than half of them strangers, with what came before them, dollars and who may answer them."""
    n = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    likeness = np.where(rng.random(n) < 0.6, STRANGER * rng.random(n), 0.5)
    cost = rng.choice([0.0, 0.01, 0.5, 1.0, 4.0], (n, 3))
    cost[rng.random((n, 3)) < 0.1] = np.nan
    eligible = rng.random((n, 3)) < 0.7
    eligible[:, 0] |= ~eligible.any(axis=1)
    is_new_subject = rng.random(n) < 0.3
    return estimates_of(likeness, seed=n), is_new_subject, cost, eligible


def found(ground: Ground) -> Strangers:
    estimates, is_new_subject, cost, eligible = ground
    return strangers_of(estimates.likeness, is_new_subject, cost, REFERENCE, RANK, eligible)


@settings(max_examples=100)
@given(grounds(), mus, st.sampled_from([0.0, 0.3, 1.0, 5.0, math.inf]))
def test_only_strangers_that_the_reference_may_answer_are_sent_and_never_beyond_the_budget(ground, mu, budget):
    estimates, is_new_subject, cost, eligible = ground
    strangers = found(ground)
    sent = strangers.sent(mu, budget)
    certain = set(strange(estimates.likeness))
    assert set(strangers.rows.tolist()) <= certain | set(np.flatnonzero(is_new_subject).tolist())
    assert [i in certain for i in strangers.rows.tolist()] == strangers.is_strange.tolist()
    spent = 0.0
    for i, cheapest, extra, place in zip(strangers.rows, strangers.cheapest, strangers.extra_usd, sent, strict=True):
        assert eligible[i, REFERENCE]
        assert eligible[i, cheapest]
        assert cost[i, cheapest] == np.nanmin(np.where(eligible[i], cost[i], np.nan))
        assert extra == cost[i, REFERENCE] - cost[i, cheapest] >= 0.0
        spent += extra if place in ("reference", "sheltered") else 0.0
    if mu > 0.0:
        assert spent <= budget + 1e-12
    assert ("cheapest" in sent) <= (budget < math.inf and mu > 0.0)
    if mu < 1.0:
        for place, is_strange in zip(sent, strangers.is_strange.tolist(), strict=True):
            assert place in (("reference", "cheapest") if is_strange else ("sheltered", None))


def test_the_budget_is_used_in_order_and_what_does_not_fit_is_not_begun():
    cost = np.array([[0.1, 1.1, 2.0], [0.1, 3.1, 0.2], [0.1, 1.1, 0.1]])
    ground = estimates_of(np.zeros(3)), np.zeros(3, dtype=bool), cost, np.ones((3, 3), dtype=bool)
    strangers = found(ground)
    assert strangers.sent(0.1, 2.0) == ("reference", "cheapest", "reference")
    assert strangers.sent(0.1, 1.5) == ("reference", "cheapest", "cheapest")
    assert strangers.sent(0.0, 0.0) == ("reference",) * 3  # dollars do not count
    assert strangers.sent(1.0, 9.0) == (None,) * 3  # quality does not count
    assert strangers.cheapest.tolist() == [0, 0, 0]


def test_nobody_is_a_stranger_where_nobody_has_asked_or_the_text_is_just_usual_enough():
    estimates = estimates_of(np.array([STRANGER, np.nextafter(STRANGER, 1.0)]))
    everyone, cost, nothing_new = np.ones((2, 3), dtype=bool), np.ones((2, 3)), np.zeros(2, dtype=bool)
    assert found((estimates, nothing_new, cost, everyone)).rows.tolist() == [0]
    assert found((replace(estimates, likeness=None), nothing_new, cost, everyone)).rows.size == 0


def test_beyond_the_budget_the_dial_decides_a_new_subject_again_and_strangers_go_to_the_cheapest():
    estimates = estimates_of(np.array([0.5, STRANGER, 0.5]))
    is_new_subject = np.array([True, True, False])
    strangers = found((estimates, is_new_subject, np.array([[0.1, 1.1, 0.5]] * 3), np.ones((3, 3), dtype=bool)))
    assert strangers.sent(0.1, math.inf) == ("sheltered", "reference")
    assert strangers.sent(0.1, 1.0) == ("sheltered", "cheapest")
    assert strangers.sent(0.1, 0.0) == (None, "cheapest")
