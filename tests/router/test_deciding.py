"""Strangers in `Router.route`: by the dial where no budget is told, else to the reference inside what it allows."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from tenbin.errors import UsageError
from tenbin.reasons import Reason
from tenbin.router.deciding import why_nobody
from tenbin.router.excess import Excess
from tenbin.router.fit import FitSettings, fit
from tenbin.router.new_subject import NEW
from tenbin.router.weighing import Ask, beyond_budget, weigh
from tenbin.strangers import STRANGER
from tenbin.types import Query, TradeOff
from tests.router.made import MODELS, make_panel, with_names, without_tokens

TEXTS = ("次の積分を計算してください。", "мне нужен перевод", "qz" * 30)
ODD = tuple(Query(f"odd{i}", text) for i, text in enumerate(TEXTS))
USUAL = make_panel(5, seed=3).queries
MIDDLE = TradeOff(0.2)
LARGE, SMALL = MODELS.index("large"), MODELS.index("small")
FREE = (None, None, None)


def ask(query, trade_off, barred=FREE):
    return Ask(query, trade_off, barred, has_stranger_budget=True)


def test_a_stranger_goes_to_the_reference_and_everybody_else_where_the_dial_says(router):
    alone = router.route(USUAL, [MIDDLE])
    mixed = router.route([*ODD, *USUAL], [MIDDLE], stranger_budget_usd=math.inf)
    assert mixed.chosen[0].tolist() == [LARGE] * 3 + alone.chosen[0].tolist()
    assert mixed.sent == (("reference",) * 3 + (None,) * 5,)
    assert mixed.reasons[0][0] == "to the reference: the text is unlike the training prompts"
    extra = mixed.cost_usd[:3, LARGE] - mixed.cost_usd[:3].min(axis=1)
    np.testing.assert_allclose(mixed.stranger_usd[0], [*extra, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(mixed.loss[0, 3:], alone.loss[0])


def test_without_a_budget_the_dial_decides_and_no_decision_depends_on_the_others(router):
    routing = router.route([*ODD, *USUAL], [MIDDLE])
    assert routing.sent == ((None,) * 8,)
    assert "by the means" in routing.reasons[0][0]
    assert not routing.stranger_usd.any()
    assert (routing.chosen[0, :3] != LARGE).any()


def test_a_budget_is_used_in_order_by_each_trade_off_for_itself(router):
    extra = router.route(ODD, [MIDDLE], stranger_budget_usd=math.inf).stranger_usd[0]
    routing = router.route(ODD, [MIDDLE, TradeOff(0.0), TradeOff(1.0)], stranger_budget_usd=float(extra[:2].sum()))
    assert routing.sent == (("reference", "reference", "cheapest"), ("reference",) * 3, (None,) * 3)
    assert routing.chosen[0, 2] == SMALL
    assert routing.reasons[0][2].key == "to_cheapest"
    assert routing.reasons[2][0].key == "with_ground"
    each = router.route(ODD, [MIDDLE] * 3, stranger_budget_usd=[0.0, 1.0, None])
    assert each.chosen[:2].tolist() == [[SMALL] * 3, [LARGE] * 3]
    assert each.sent[2] == (None,) * 3
    with pytest.raises(UsageError, match="a stranger budget of -1 dollars is none"):
        router.route(ODD, [MIDDLE], stranger_budget_usd=-1)


def test_each_trade_off_is_looked_at_before_anything_is_decided(router):
    with pytest.raises(UsageError, match=r"mu = 1\.5 is outside"):
        router.route(USUAL, [MIDDLE, TradeOff(1.5)])


def test_without_any_loss_the_safe_default_answers_and_says_so(router):
    broken = without_tokens(router)
    routing = broken.route(USUAL, [MIDDLE])
    assert routing.chosen.tolist() == [[LARGE] * 5]
    assert {reason.key for reason in routing.reasons[0]} == {"unestimated"}
    assert broken.route(USUAL, [MIDDLE], deny=["large"]).chosen.tolist() == [[MODELS.index("mid")] * 5]


def test_a_list_that_bars_the_reference_leaves_strangers_to_the_dial(router):
    routing = router.route(ODD, [MIDDLE], deny=["large"], stranger_budget_usd=math.inf)
    assert routing.sent == ((None,) * 3,)
    assert LARGE not in routing.chosen
    assert "by the means" in routing.reasons[0][0]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_decision_about_a_stranger_explains_every_candidate(router, lang):
    decision = router.decide(ODD[0], MIDDLE, stranger_budget_usd=math.inf)
    assert decision.model == "large"
    assert {view.reason for view in decision.candidates[1:]} == {"not the reference, which answers strangers"}
    beyond = router.decide(ODD[0], MIDDLE, stranger_budget_usd=0.0)
    assert (beyond.model, beyond.candidates[0].reason) == ("small", "chosen")
    for view in beyond.candidates[1:]:
        assert isinstance(view.reason, Reason)
        assert view.reason.key == "higher_cost"
        assert view.reason.said(lang)


@pytest.mark.parametrize("mu", [0.0, 0.2, 0.97, 1.0])
def test_the_gateway_weighs_strangers_as_route_decides_them(router, mu):
    queries = [*ODD, *USUAL]
    routing = router.route(queries, [TradeOff(mu)], stranger_budget_usd=math.inf)
    for i, weighed in enumerate(weigh(router, [ask(query, TradeOff(mu)) for query in queries])):
        assert weighed.ranking[0] == routing.chosen[0, i]
        assert weighed.reason == routing.reasons[0][i]
        assert (weighed.stranger_usd or 0.0) == pytest.approx(routing.stranger_usd[0, i])
        assert (weighed.stranger_usd is None) == (routing.sent[0][i] is None)
        assert sorted(weighed.ranking) == [0, 1, 2]


def test_a_new_subject_goes_to_the_reference_once_it_shows_and_beyond_the_budget_where_the_dial_says(prices):
    router = fit(with_names(make_panel()), prices, FitSettings(embedder="base", groups=False))
    new = [
        Query(f"new{i}", f"greet colour greet capital zebra rhyme spell count name number {123456 + i}")
        for i in range(40)
    ]
    features = router.features(new)
    estimates = router.estimate(features)
    assert (estimates.novelty <= NEW).all()
    assert (estimates.likeness > STRANGER).all()
    queries = [*new, *USUAL]
    alone = router.route(queries, [MIDDLE])
    assert LARGE not in alone.chosen[0, :40]
    stream = Excess()
    routing = router.route(queries, [MIDDLE], stranger_budget_usd=math.inf, stream=stream)
    first = routing.sent[0].index("sheltered")
    assert 5 < first < 40
    assert routing.sent == ((None,) * first + ("sheltered",) * (45 - first),)
    assert routing.chosen[0].tolist() == [*alone.chosen[0, :first], *[LARGE] * (45 - first)]
    assert routing.reasons[0][-1].key == "sheltered"
    assert stream.is_flagged
    known = router.route(USUAL, [MIDDLE], stranger_budget_usd=math.inf, stream=stream)
    assert known.sent == (("sheltered",) * 5,)
    beyond = router.route(queries, [MIDDLE], stranger_budget_usd=0.0)
    assert beyond.sent == ((None,) * 45,)
    assert beyond.reasons == alone.reasons


def test_the_gateway_shelters_what_follows_a_new_subject_and_beyond_the_budget_the_dial_decides(router):
    (plain,) = weigh(router, [ask(USUAL[0], MIDDLE)])
    (weighed,) = weigh(router, [msgspec.structs.replace(ask(USUAL[0], MIDDLE), is_new_subject=True)])
    assert (plain.is_new, weighed.is_new) == (False, False)
    assert weighed.ranking[0] == LARGE
    assert weighed.reason.key == "sheltered"
    assert weighed.stranger_usd == pytest.approx(weighed.cost_usd[LARGE] - weighed.cost_usd.min())
    assert beyond_budget(weighed).ranking == plain.ranking
    assert beyond_budget(weighed).reason == plain.reason
    (odd,) = weigh(router, [msgspec.structs.replace(ask(ODD[0], MIDDLE), is_new_subject=True)])
    assert odd.reason.key == "to_reference"  # a stranger is one in any company
    (unasked,) = weigh(router, [Ask(USUAL[0], MIDDLE, FREE)])
    assert unasked.is_new is None


def test_in_a_batch_strangers_and_new_subjects_go_where_they_go_alone(router):
    barred = ("circuit open", None, None)
    asks = [
        ask(USUAL[0], MIDDLE),
        msgspec.structs.replace(ask(USUAL[1], MIDDLE), is_new_subject=True),
        msgspec.structs.replace(ask(USUAL[2], MIDDLE, barred), is_new_subject=True),
        msgspec.structs.replace(ask(USUAL[3], TradeOff(1.0)), is_new_subject=True),
        msgspec.structs.replace(ask(USUAL[4], TradeOff(0.0)), is_new_subject=True),
        msgspec.structs.replace(ask(ODD[1], MIDDLE), has_stranger_budget=False, is_new_subject=True),
        ask(ODD[0], TradeOff(1.0)),
        ask(ODD[2], MIDDLE),
    ]

    def told(weighed):
        by_dial = None if weighed.by_dial is None else weighed.by_dial.ranking
        return weighed.ranking, weighed.reason, weighed.stranger_usd, by_dial

    together = [told(weighed) for weighed in weigh(router, asks)]
    assert together == [told(weigh(router, [one])[0]) for one in asks]
    assert [usd is not None for _, _, usd, _ in together] == [False, True, False, False, True, False, False, True]


def test_beyond_the_budget_the_dearest_is_the_last_resort(router):
    (weighed,) = weigh(router, [ask(ODD[0], MIDDLE, ("circuit open", None, None))])
    assert weighed.stranger_usd is None  # the reference may not answer
    (weighed,) = weigh(router, [ask(ODD[0], MIDDLE)])
    cheapest = beyond_budget(weighed)
    assert np.diff(weighed.cost_usd[list(cheapest.ranking)]).min() >= 0.0
    assert cheapest.stranger_usd is None
    assert cheapest.reason.key == "to_cheapest"


def test_whom_a_list_rules_out_is_told_by_the_kind_of_the_bar_and_not_by_its_words():
    by_lists = [Reason("not_in_profile", profile="cheap"), Reason("not_for_caller"), Reason("not_allowed")]
    assert why_nobody(MODELS, by_lists) == "none is allowed"
    assert (
        why_nobody(MODELS, [*by_lists[:2], "not allowed to see pictures"]) == f"{MODELS[2]} not allowed to see pictures"
    )
