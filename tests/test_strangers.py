"""Who answers a stranger: the reference while the budget lasts, then the cheapest, or the dial where neither is due."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.strangers import STRANGER, Stranger, sent_in_turn, strange, strangers_among
from tenbin.types import Bools, Floats

MODELS = "b", "c", "a"
REFERENCE = 1
Ground = tuple[Floats, Bools, Floats, Bools]
mus = st.sampled_from([0.0, 1e-3, 0.1, 0.5, 0.9, 0.999, 1.0])


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
    return likeness, is_new_subject, cost, eligible


def found(ground: Ground) -> list[Stranger]:
    likeness, is_new_subject, cost, eligible = ground
    asked = dict.fromkeys(np.flatnonzero(is_new_subject).tolist(), False) | dict.fromkeys(strange(likeness), True)
    barred = [[None if may else "may not" for may in row] for row in eligible]
    return strangers_among(asked, cost, barred, MODELS, REFERENCE)


@settings(max_examples=100)
@given(grounds(), mus, st.sampled_from([0.0, 0.3, 1.0, 5.0, math.inf]))
def test_only_strangers_that_the_reference_may_answer_are_sent_and_never_beyond_the_budget(ground, mu, budget):
    likeness, is_new_subject, cost, eligible = ground
    strangers = found(ground)
    sent = sent_in_turn(strangers, mu, budget)
    certain = set(strange(likeness))
    may = eligible[:, REFERENCE] & ~np.isnan(cost[:, REFERENCE])
    asked = certain | set(np.flatnonzero(is_new_subject).tolist())
    assert [one.row for one in strangers] == [i for i in range(len(likeness)) if i in asked and may[i]]
    spent = 0.0
    for one, place in zip(strangers, sent, strict=True):
        assert one.is_strange == (one.row in certain)
        usd = {(cost[one.row, m], MODELS[m], m) for m in range(3) if eligible[one.row, m] and cost[one.row, m] >= 0.0}
        assert one.cheapest == min(usd)[2]
        assert one.extra_usd == cost[one.row, REFERENCE] - min(usd)[0] >= 0.0
        spent += one.extra_usd if place in ("reference", "sheltered") else 0.0
    if mu > 0.0:
        assert spent <= budget + 1e-12
    assert ("cheapest" in sent) <= (budget < math.inf and mu > 0.0)
    if mu < 1.0:
        for place, one in zip(sent, strangers, strict=True):
            assert place in (("reference", "cheapest") if one.is_strange else ("sheltered", None))


def test_the_budget_is_used_in_order_and_what_does_not_fit_is_not_begun():
    cost = np.array([[0.1, 1.1, 2.0], [0.1, 3.1, 0.2], [0.1, 1.1, 0.1]])
    strangers = found((np.zeros(3), np.zeros(3, dtype=bool), cost, np.ones((3, 3), dtype=bool)))
    assert sent_in_turn(strangers, 0.1, 2.0) == ("reference", "cheapest", "reference")
    assert sent_in_turn(strangers, 0.1, 1.5) == ("reference", "cheapest", "cheapest")
    assert sent_in_turn(strangers, 0.0, 0.0) == ("reference",) * 3  # dollars do not count
    assert sent_in_turn(strangers, 1.0, 9.0) == (None,) * 3  # quality does not count
    assert [one.cheapest for one in strangers] == [0, 0, 2]  # of equally cheap ones the first by name


def test_nobody_is_a_stranger_where_nobody_has_asked_or_the_text_is_just_usual_enough():
    assert strange(np.array([STRANGER, np.nextafter(STRANGER, 1.0)])) == [0]
    assert strange(None) == []


def test_beyond_the_budget_the_dial_decides_a_new_subject_again_and_strangers_go_to_the_cheapest():
    likeness, is_new_subject = np.array([0.5, STRANGER, 0.5]), np.array([True, True, False])
    strangers = found((likeness, is_new_subject, np.array([[0.1, 1.1, 0.5]] * 3), np.ones((3, 3), dtype=bool)))
    assert sent_in_turn(strangers, 0.1, math.inf) == ("sheltered", "reference")
    assert sent_in_turn(strangers, 0.1, 1.0) == ("sheltered", "cheapest")
    assert sent_in_turn(strangers, 0.1, 0.0) == (None, "cheapest")
