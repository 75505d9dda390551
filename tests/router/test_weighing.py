"""Weighing many requests: each as `Router.route` decides it alone, whatever its neighbours are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import DecisionError
from tenbin.features.attached import Attached, attached_to
from tenbin.router.router import Router
from tenbin.router.weighing import FIGURES, Ask, Weighed, weigh
from tenbin.types import Candidate, Query, TradeOff
from tests.router.made import EASY, HARD, make_panel, without_tokens

QUERIES = make_panel(40, seed=11).queries
FREE = (None, None, None)
dials = st.builds(
    TradeOff,
    mu=st.sampled_from([0.0, 1e-3, 0.05, 0.3, 0.9, 1.0]),
    w=st.sampled_from([0.0, 0.5, 1.0]),
    caution=st.sampled_from([0.0, 1.0]),
    minimax=st.booleans(),
)
barred = st.lists(st.sampled_from([None, "circuit open"]), min_size=3, max_size=3).filter(lambda row: None in row)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 39), dials, barred), min_size=1, max_size=8))
def test_the_first_of_the_ranking_is_what_route_chooses(router, drawn):
    asks = [Ask(QUERIES[i], trade_off, row) for i, trade_off, row in drawn]
    for ask, weighed in zip(asks, weigh(router, asks), strict=True):
        deny = [name for name, bar in zip(router.models, ask.barred, strict=True) if bar]
        alone = router.route([ask.query], [ask.trade_off], deny=deny)
        assert weighed.ranking[0] == alone.chosen[0, 0]
        assert weighed.loss[weighed.ranking[0]] == alone.loss[0, 0]
        assert weighed.reason == alone.reasons[0][0]
        np.testing.assert_array_equal(weighed.quality, alone.estimates.quality[0])
        np.testing.assert_array_equal(weighed.input_tokens, alone.estimates.input_tokens[0])
        np.testing.assert_array_equal(weighed.output_tokens, alone.estimates.output_tokens[0])
        for row, kept in zip(FIGURES[:-1], weighed.figures[:-1], strict=True):
            expected = alone.cost_usd if row == "cost_usd" else getattr(alone.estimates, row)
            np.testing.assert_array_equal(kept, expected[0])
        np.testing.assert_array_equal(weighed.cost_usd, alone.cost_usd[0])


@settings(max_examples=40)
@given(st.integers(0, 39), dials, barred)
def test_each_next_one_is_what_route_would_choose_without_those_before(router, i, trade_off, row):
    (weighed,) = weigh(router, [Ask(QUERIES[i], trade_off, row)])
    denied = [name for name, bar in zip(router.models, row, strict=True) if bar]
    for m in weighed.ranking:
        assert router.route([QUERIES[i]], [trade_off], deny=denied).chosen[0, 0] == m
        denied.append(router.models[m])
    assert len(weighed.ranking) == row.count(None)


def with_cached_rate(router, usd_per_mtok):
    """The router with a prompt cache of that price at the large model."""
    price = replace(router.prices.price("large"), cached_input_usd_per_mtok=usd_per_mtok)
    book = router.prices.with_price("large", price)
    return Router(router.manifest, router._encoder, router._estimator, router._parts, book, "")


def test_cached_tokens_are_billed_at_the_cached_rate_and_never_more_than_the_input(router):
    cached = (None, np.array([20.0, 0.0, 0.0]), np.array([1e9, 1e9, 0.0]))
    asks = [Ask(Query("q", "integral theorem"), TradeOff(0.5), FREE, tokens) for tokens in cached]
    none, some, huge = weigh(with_cached_rate(router, 1.0), asks)
    assert none.cost_usd[0] - some.cost_usd[0] == pytest.approx(20.0 * (10.0 - 1.0) / 1e6)
    saved = none.input_tokens[0] * (10.0 - 1.0) / 1e6
    assert none.cost_usd[0] - huge.cost_usd[0] == pytest.approx(saved)
    np.testing.assert_allclose(huge.cost_usd[1:], none.cost_usd[1:])


def test_no_answer_is_expected_to_be_longer_or_dearer_than_its_request_allows(router):
    """A cap of one token left the whole expected answer in the dollars, and the dial chose by it."""
    query, cached = Query("q", "integral theorem proof"), np.array([20.0, 0.0, 0.0])
    capped = replace(query, max_output_tokens=2.0)
    called_as = {"mid": Candidate("mid", max_output_tokens=1)}
    cheap = Router(
        router.manifest, router._encoder, router._estimator, router._parts, router.prices, "", None, called_as
    )
    asks = [
        Ask(query, TradeOff(0.1), FREE),
        Ask(capped, TradeOff(0.1), FREE),
        Ask(capped, TradeOff(0.1), FREE, cached, answers=3),
    ]
    free, one, three = weigh(cheap, asks)
    np.testing.assert_array_equal(one.output_tokens, [2.0, 1.0, 2.0])
    np.testing.assert_array_equal(three.output_tokens, [6.0, 3.0, 6.0])
    assert free.output_tokens[1] == 1.0
    assert free.output_tokens[0] > 30.0
    np.testing.assert_allclose(
        one.cost_usd, (one.input_tokens * [10.0, 1.0, 0.1] + one.output_tokens * [30.0, 3.0, 0.3]) / 1e6
    )
    np.testing.assert_allclose(three.cost_usd - one.cost_usd, np.array([4.0, 2.0, 4.0]) * [30.0, 3.0, 0.3] / 1e6)
    routed = cheap.route([query, capped], [TradeOff(0.1)])
    np.testing.assert_array_equal(routed.cost_usd, [free.cost_usd, one.cost_usd])
    np.testing.assert_array_equal(routed.estimates.output_tokens, [free.output_tokens, one.output_tokens])
    assert routed.loss[0, 1] < routed.loss[0, 0]


def test_what_is_sent_beside_the_messages_counts_and_every_answer(router):
    query = Query("q", "integral theorem")
    beside = ({}, {"hidden_tokens": 7.0}, {"attached": Attached(pages=2, size=9)}, {"answers": 2})
    plain, hidden, pictures, twice = weigh(router, [Ask(query, TradeOff(0.1), FREE, **more) for more in beside])
    np.testing.assert_allclose(hidden.input_tokens, plain.input_tokens + 7.0)
    np.testing.assert_allclose(pictures.input_tokens, plain.input_tokens + 2 * 3_000)
    np.testing.assert_array_equal(twice.input_tokens, plain.input_tokens)
    np.testing.assert_allclose(twice.output_tokens, 2.0 * plain.output_tokens)
    (dear,) = weigh(router, [Ask(query, TradeOff(0.1), (None, None, "no"), max_cost_usd=1e-12)])
    assert f"the cheapest costs ${plain.cost_usd[1]:.3g}" in str(dear)


def test_what_is_attached_counts_alike_in_a_batch_and_in_the_gateway(router):
    """The gateway counted pictures, `Router.route` none: a batch's costs were not those that were served."""
    called_as = {
        "large": Candidate("large", model="gpt-4o"),
        "mid": Candidate("mid", model="gemini-3-pro", context_window_tokens=3_000),
    }
    served = Router(
        router.manifest, router._encoder, router._estimator, router._parts, router.prices, "", None, called_as
    )
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    sound = {"type": "input_audio", "input_audio": {"data": "A" * 640_000, "format": "mp3"}}
    words = {"type": "text", "text": "integral theorem"}
    bare, full = (
        Query("q", messages=({"role": "user", "content": parts},)) for parts in ([words], [words, picture, sound])
    )
    counted = replace(full, input_tokens=50.0)
    tokens = np.array([765 + 60 * 10, 1_120 + 60 * 32, 4_096 + 60 * 32])
    routed = served.route([bare, full, counted], [TradeOff(0.1)])
    np.testing.assert_allclose(routed.estimates.input_tokens[1], routed.estimates.input_tokens[0] + tokens)
    np.testing.assert_array_equal(routed.estimates.input_tokens[2], [50.0] * 3)
    np.testing.assert_allclose(routed.cost_usd[1] - routed.cost_usd[0], tokens * [10.0, 1.0, 0.1] / 1e6)
    assert "of context, has 3,000" in routed.barred[1][1]
    (weighed,) = weigh(served, [Ask(full, TradeOff(0.1), FREE, attached=attached_to(full.messages))])
    np.testing.assert_array_equal(weighed.cost_usd, routed.cost_usd[1])
    assert weighed.barred == tuple(routed.barred[1])


def test_a_warm_cache_keeps_a_conversation_where_it_is(router):
    query = replace(next(query for query in QUERIES if query.group == "hard"), input_tokens=5_000.0)
    warm_cache = np.array([5_000.0, 0.0, 0.0])
    asks = [Ask(query, TradeOff(0.1), FREE), Ask(query, TradeOff(0.1), FREE, warm_cache)]
    cold, warm = weigh(with_cached_rate(router, 0.01), asks)
    assert cold.models[cold.ranking[0]] != "large"
    assert warm.models[warm.ranking[0]] == "large"


def test_a_cost_ceiling_bars_the_dear_and_says_so(router):
    query = Query("hard", " ".join(HARD))
    (free,) = weigh(router, [Ask(query, TradeOff(0.0), FREE)])
    ceiling = float(np.sort(free.cost_usd)[1])
    (bound,) = weigh(router, [Ask(query, TradeOff(0.0), FREE, max_cost_usd=ceiling)])
    assert free.models[free.ranking[0]] == "large"
    assert "over the ceiling" in bound.barred[free.ranking[0]]
    assert len(bound.ranking) == 2


def test_what_the_gateway_bars_is_barred_beside_what_the_router_bars(router):
    short = {"mid": Candidate("mid", context_window_tokens=1)}
    small = Router(router.manifest, router._encoder, router._estimator, router._parts, router.prices, "", None, short)
    (weighed,) = weigh(small, [Ask(QUERIES[0], TradeOff(0.1), ("circuit open", None, None))])
    assert weighed.ranking == (2,)
    assert (weighed.barred[0], weighed.barred[2]) == ("circuit open", None)
    assert "of context, has 1" in weighed.barred[1]


def test_one_that_nobody_may_answer_spoils_nothing(router):
    query = Query("easy", " ".join(EASY))
    good = Ask(query, TradeOff(0.1), FREE)
    asks = [good, Ask(query, TradeOff(0.1), ("no", "no", "no")), Ask(query, TradeOff(0.1), FREE, max_cost_usd=1e-12)]
    first, nobody, dear = weigh(router, asks)
    assert isinstance(first, Weighed)
    assert isinstance(nobody, DecisionError)
    assert isinstance(dear, DecisionError)
    assert "the cheapest costs $" in str(dear)
    assert weigh(router, [good])[0].loss.tolist() == first.loss.tolist()


def test_a_dial_that_makes_no_sense_is_an_answer_too(router):
    query = Query("easy", " ".join(EASY))
    bad, good = weigh(router, [Ask(query, TradeOff(7.0), FREE), Ask(query, TradeOff(0.5), FREE)])
    assert isinstance(bad, DecisionError)
    assert isinstance(good, Weighed)


def test_without_any_loss_the_safe_default_comes_first(router):
    broken = without_tokens(router)
    (weighed,) = weigh(broken, [Ask(Query("q", "x"), TradeOff(0.5), FREE)])
    assert weighed.models[weighed.ranking[0]] == router.manifest.reference
    assert weighed.reason == "safe default: nothing could be estimated"
    assert sorted(weighed.ranking) == [0, 1, 2]


def test_no_asks_no_answers(router):
    assert weigh(router, []) == []
