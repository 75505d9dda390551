"""Strangers in `Router.route`: to the reference, inside what a budget allows, and everywhere by the same rule."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.certify.path import decide
from tenbin.errors import UsageError
from tenbin.evaluate.curve import sweep
from tenbin.reasons import Reason
from tenbin.router.calibrate import calibrate
from tenbin.router.crossfit import Crossfit
from tenbin.router.weighing import Ask, to_cheapest, weigh
from tenbin.types import Query, TradeOff
from tests.router.made import EASY, MODELS, make_panel

TEXTS = ("次の積分を計算してください。", "мне нужен перевод", "qz" * 30)
ODD = tuple(Query(f"odd{i}", text) for i, text in enumerate(TEXTS))
USUAL = make_panel(5, seed=3).queries
MIDDLE = TradeOff(0.2)
LARGE, SMALL = MODELS.index("large"), MODELS.index("small")
FREE = (None, None, None)


def test_a_stranger_goes_to_the_reference_and_everybody_else_where_the_dial_says(router):
    alone = router.route(USUAL, [MIDDLE])
    mixed = router.route([*ODD, *USUAL], [MIDDLE])
    assert mixed.chosen[0].tolist() == [LARGE] * 3 + alone.chosen[0].tolist()
    assert mixed.sent == (("reference",) * 3 + (None,) * 5,)
    assert mixed.reasons[0][0] == "to the reference: the text is unlike the training prompts"
    extra = mixed.cost_usd[:3, LARGE] - mixed.cost_usd[:3].min(axis=1)
    np.testing.assert_allclose(mixed.stranger_usd[0], [*extra, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(mixed.loss[0, 3:], alone.loss[0])


def test_a_budget_is_used_in_order_by_each_trade_off_for_itself(router):
    extra = router.route(ODD, [MIDDLE]).stranger_usd[0]
    routing = router.route(ODD, [MIDDLE, TradeOff(0.0), TradeOff(1.0)], stranger_budget_usd=float(extra[:2].sum()))
    assert routing.sent == (("reference", "reference", "cheapest"), ("reference",) * 3, (None,) * 3)
    assert routing.chosen[0, 2] == SMALL
    assert routing.reasons[0][2].key == "to_cheapest"
    assert routing.reasons[2][0].key == "with_ground"
    each = router.route(ODD, [MIDDLE, MIDDLE], stranger_budget_usd=[0.0, 1.0])
    assert each.chosen.tolist() == [[SMALL] * 3, [LARGE] * 3]
    with pytest.raises(UsageError, match="a stranger budget of -1 dollars is none"):
        router.route(ODD, [MIDDLE], stranger_budget_usd=-1)


def test_a_list_that_bars_the_reference_leaves_strangers_to_the_dial(router):
    routing = router.route(ODD, [MIDDLE], deny=["large"])
    assert routing.sent == ((None,) * 3,)
    assert LARGE not in routing.chosen
    assert "by the means" in routing.reasons[0][0]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_decision_about_a_stranger_explains_every_candidate(router, lang):
    decision = router.decide(ODD[0], MIDDLE)
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
    routing = router.route(queries, [TradeOff(mu)])
    for i, weighed in enumerate(weigh(router, [Ask(query, TradeOff(mu), FREE) for query in queries])):
        assert weighed.ranking[0] == routing.chosen[0, i]
        assert weighed.reason == routing.reasons[0][i]
        assert (weighed.stranger_usd or 0.0) == pytest.approx(routing.stranger_usd[0, i])
        assert (weighed.stranger_usd is None) == (routing.sent[0][i] is None)
        assert sorted(weighed.ranking) == [0, 1, 2]


def test_beyond_the_budget_the_dearest_is_the_last_resort(router):
    (weighed,) = weigh(router, [Ask(ODD[0], MIDDLE, ("circuit open", None, None))])
    assert weighed.stranger_usd is None  # the reference may not answer
    (weighed,) = weigh(router, [Ask(ODD[0], MIDDLE, FREE)])
    cheapest = to_cheapest(weighed)
    assert np.diff(weighed.cost_usd[list(cheapest.ranking)]).min() >= 0.0
    assert cheapest.stranger_usd is None
    assert cheapest.reason.key == "to_cheapest"


def test_curves_certificates_and_evaluations_decide_strangers_as_they_are_served(router):
    mus = np.array([0.0, 0.2, 0.6, 1.0])
    panel = make_panel(8, seed=5)
    odd = tuple(Query(f"o{i}", "次の積分" if i % 2 else " ".join([*EASY, str(i)])) for i in range(8))
    queries = (*panel.queries[:4], *odd[4:])
    served = router.route(queries, [TradeOff(mu) for mu in mus.tolist()]).chosen
    estimates = router.estimate(router.features(queries))
    everyone = np.ones(3, dtype=np.bool_)
    cost = router.cost_usd(estimates)
    np.testing.assert_array_equal(sweep(estimates, cost, router.models, router.anchors, mus, everyone), served)
    ground = Crossfit(estimates, router.crossfit.take(np.arange(8)).observed)
    np.testing.assert_array_equal(decide(router, ground, TradeOff(0.0), everyone, mus), served)
    assert (served[1, [5, 7]] == LARGE).all()


def test_the_likeness_of_training_and_calibration_rows_is_kept(router):
    panel = make_panel(30, seed=8)
    calibration = calibrate(router, panel)
    assert calibration is not None
    for crossfit in (router.crossfit, calibration.ground):
        kept = Crossfit.load(crossfit.save()).estimates.likeness
        assert kept is not None
        np.testing.assert_allclose(kept, crossfit.estimates.likeness, rtol=1e-6)
