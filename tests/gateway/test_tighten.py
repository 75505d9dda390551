"""A request may only tighten its profile: every direction of every dial, on the curve of a real dial."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import RequestError
from tenbin.gateway.asked import NOTHING, Asked
from tenbin.gateway.tighten import Terms, Tightened, check_named, tighten
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial, spelt_out, turn

MODELS = ("big", "mid", "small", "other")
GRID = mu_grid(41)
CURVE = DialCurve(
    mu=GRID,
    quality=0.9 - 0.5 * GRID,
    cost_usd=0.01 * (1.0 - GRID) + 0.0001,
    reference_quality=0.9,
    reference_cost_usd=0.01,
)
OWN = {"w": 0.25, "caution": 0.5}


def terms(**dial: Any) -> Terms:
    group = dial.pop("group", None)
    own = spelt_out(Dial(**OWN, **dial), CURVE)
    return Terms(MODELS, frozenset({"big", "mid", "small"}), own, turn(own, CURVE), partial(turn, curve=CURVE), group)


def refusal(given_terms: Terms, asked: Asked) -> RequestError:
    with pytest.raises(RequestError) as caught:
        tighten(given_terms, asked)
    assert caught.value.status == 400
    return caught.value


def test_nothing_asked_is_the_profile_as_it_is() -> None:
    t = terms(min_quality=0.9, group="g")
    assert tighten(t, NOTHING) == Tightened(t.trade_off, t.eligible, None, "g")


@pytest.mark.parametrize("dial", [{"min_quality": 0.9}, {}])
def test_where_quality_is_promised_mu_may_only_fall(dial: dict[str, float]) -> None:
    t = terms(**dial)
    mu = t.trade_off.mu
    assert 0.0 < mu < 1.0
    lower = tighten(t, Asked(mu=mu / 2)).trade_off
    assert (lower.mu, lower.w, lower.caution) == (mu / 2, 0.25, 0.5)
    assert tighten(t, Asked(mu=mu)).trade_off.mu == mu
    error = refusal(t, Asked(mu=mu * 1.01))
    assert (error.code, error.param) == ("loosens_profile", "tenbin.mu")
    assert "mu may be at most" in str(error)


@pytest.mark.parametrize("dial", [{"mu": 0.3}, {"max_cost_usd": 0.007}])
def test_where_cost_is_promised_mu_may_only_rise(dial: dict[str, float]) -> None:
    t = terms(**dial)
    mu = t.trade_off.mu
    assert tighten(t, Asked(mu=1.0)).trade_off.mu == 1.0
    assert tighten(t, Asked(mu=mu)).trade_off == t.trade_off
    error = refusal(t, Asked(mu=mu * 0.99, in_headers=frozenset({"mu"})))
    assert (error.code, error.param) == ("loosens_profile", "x-tenbin-mu")
    assert "mu must be at least" in str(error)


def test_quality_may_not_be_below_the_promise() -> None:
    t = terms(min_quality=0.9)
    better = tighten(t, Asked(min_quality=0.95)).trade_off
    assert better.mu < t.trade_off.mu
    assert (better.w, better.caution) == (0.25, 0.5)
    assert tighten(t, Asked(min_quality=0.9)).trade_off == t.trade_off
    error = refusal(t, Asked(min_quality=0.89))
    assert (error.code, error.param) == ("loosens_profile", "tenbin.min_quality")
    assert "promises 0.9 of the reference's quality" in str(error)
    assert refusal(terms(), Asked(min_quality=0.98)).code == "loosens_profile"


def test_quality_that_is_out_of_reach_says_what_can_be_had() -> None:
    for t in (terms(min_quality=0.9), terms(best=True), terms(mu=0.5)):
        error = refusal(t, Asked(min_quality=1.5))
        assert (error.code, error.param) == ("invalid_dial", "tenbin.min_quality")
        assert "ask for at most 1" in str(error)


def test_the_best_has_nothing_better() -> None:
    t = terms(best=True)
    assert tighten(t, Asked(min_quality=0.5)).trade_off.mu == 0.0
    assert tighten(t, Asked(mu=0.0)).trade_off.mu == 0.0
    assert refusal(t, Asked(mu=0.001)).code == "loosens_profile"


def test_quality_for_a_price_only_where_it_is_no_dearer() -> None:
    t = terms(mu=0.5)
    assert tighten(t, Asked(min_quality=0.5)).trade_off.mu > 0.5
    assert "costs more than the profile allows" in str(refusal(t, Asked(min_quality=0.99)))


def test_a_ceiling_may_not_be_above_the_profiles_own() -> None:
    assert tighten(terms(), Asked(max_cost_usd=5.0)).max_cost_usd == 5.0
    t = terms(max_cost_usd=0.007)
    assert tighten(t, Asked(max_cost_usd=0.007)).max_cost_usd == 0.007
    assert tighten(t, NOTHING).max_cost_usd is None
    error = refusal(t, Asked(max_cost_usd=0.0071))
    assert (error.code, error.param) == ("loosens_profile", "tenbin.max_cost_usd")


def test_lists_only_narrow() -> None:
    t = terms()
    assert tighten(t, Asked(allow=("big", "mid"))).eligible == {"big", "mid"}
    assert tighten(t, Asked(deny=("big",))).eligible == {"mid", "small"}
    assert tighten(t, Asked(allow=("big", "mid"), deny=("mid", "other"))).eligible == {"big"}
    error = refusal(t, Asked(allow=("big", "other")))
    assert (error.code, error.param) == ("loosens_profile", "tenbin.allow")
    assert '"other" is not among the candidates of this profile and key' in str(error)
    assert refusal(t, Asked(allow=())).param == "tenbin.allow"
    error = refusal(t, Asked(allow=("bigg",)))
    assert (error.code, error.param) == ("invalid_dial", "tenbin.allow")
    error = refusal(t, Asked(deny=("smal",)))
    assert (error.code, error.param) == ("invalid_dial", "tenbin.deny")
    assert 'there is no candidate "smal"; did you mean "small"?' in str(error)
    error = refusal(t, Asked(allow=("big",), deny=("big",)))
    assert (error.code, error.param) == ("invalid_dial", "tenbin.deny")


def test_the_group_of_a_profile_is_its_own() -> None:
    assert tighten(terms(), Asked(group="x")).group == "x"
    assert tighten(terms(group="g"), Asked(group="g")).group == "g"
    assert tighten(terms(group="g"), Asked(max_cost_usd=5.0)).group == "g"
    error = refusal(terms(group="g"), Asked(group="x"))
    assert (error.code, error.param) == ("loosens_profile", "tenbin.group")


def test_a_model_that_was_named_itself_is_refused_only_where_the_request_rules_it_out() -> None:
    check_named(NOTHING, "big", MODELS, None)
    check_named(Asked(allow=("big",), deny=("mid",), max_cost_usd=0.01), "big", MODELS, 0.01)
    for asked, input_usd, param, said in (
        (Asked(allow=("mid",)), 0.01, "allow", "tenbin.allow rules it out"),
        (Asked(deny=("big",)), 0.01, "deny", "tenbin.deny rules it out"),
        (Asked(max_cost_usd=0.0099), 0.01, "max_cost_usd", "costs 0.01 dollars for this input alone"),
        (Asked(max_cost_usd=0.0099), None, "max_cost_usd", "has no price"),
    ):
        with pytest.raises(RequestError, match=said) as caught:
            check_named(asked, "big", MODELS, input_usd)
        assert (caught.value.status, caught.value.code, caught.value.param) == (400, "no_candidate", f"tenbin.{param}")
    with pytest.raises(RequestError, match='there is no candidate "bigg"; did you mean "big"') as caught:
        check_named(Asked(deny=("bigg",)), "big", MODELS, 0.01)
    assert (caught.value.code, caught.value.param) == ("invalid_dial", "tenbin.deny")


DIALS = st.one_of(
    st.just({}),
    st.just({"best": True}),
    st.fixed_dictionaries({"mu": st.floats(0.0, 1.0)}),
    st.fixed_dictionaries({"min_quality": st.floats(0.5, 1.0)}),
    st.fixed_dictionaries({"max_cost_usd": st.floats(0.001, 0.02)}),
)
NAMES = st.none() | st.lists(st.sampled_from(MODELS), min_size=1, max_size=4).map(tuple)


@given(
    DIALS,
    st.none() | st.floats(0.0, 1.0),
    st.none() | st.floats(0.01, 2.0),
    st.none() | st.floats(0.001, 1),
    NAMES,
    NAMES,
)
def test_whatever_is_asked_is_tighter_or_refused(
    dial: dict[str, Any],
    mu: float | None,
    quality: float | None,
    ceiling: float | None,
    allow: tuple[str, ...] | None,
    deny: tuple[str, ...] | None,
) -> None:
    t = terms(**dial)
    asked = Asked(mu=mu, min_quality=None if mu is not None else quality, max_cost_usd=ceiling, allow=allow, deny=deny)
    with suppress(RequestError):
        found = tighten(t, asked)
        assert found.eligible
        assert found.eligible <= t.eligible
        assert not found.eligible & set(deny or ())
        assert found.max_cost_usd == ceiling
        if t.promises_quality:
            assert found.trade_off.mu <= t.trade_off.mu
        else:
            assert found.trade_off.mu >= t.trade_off.mu
        if asked.min_quality is not None:
            reached = float(np.interp(found.trade_off.mu, CURVE.mu, CURVE.quality))
            assert reached >= asked.min_quality * CURVE.reference_quality - 1e-6
