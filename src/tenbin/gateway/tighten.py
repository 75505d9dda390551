"""What one request may do, given its profile: it may ask for more of what the profile promises, never for less."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from tenbin.errors import DecisionError, RequestError, UsageError, did_you_mean
from tenbin.gateway.asked import Asked, invalid
from tenbin.router.dials import DEFAULT_MIN_QUALITY, Dial
from tenbin.types import TradeOff


@dataclass(frozen=True, slots=True)
class Terms:
    """What a profile and the caller's key allow: made once per snapshot and key, read by every request.

    `models` are the router's candidates, `eligible` those that profile and key leave. `dial` is the profile's own,
    spelt out (`Router.spell_out`: the promise where nothing was asked), `trade_off` what it turned to. `turn` gives
    the trade-off of another dial on the same candidates; it is called within the request, so let it read a curve that
    is already there: `partial(router.dials.turn, curve=router.dial_curve(dial, ...))`, some 20 microseconds.
    """

    models: Sequence[str]
    eligible: frozenset[str]
    dial: Dial
    trade_off: TradeOff
    turn: Callable[[Dial], TradeOff]
    group: str | None = None

    @property
    def promises_quality(self) -> bool:
        """Whether the profile promises quality (then mu may only fall) rather than cost (then it may only rise)."""
        return self.dial.mu is None and self.dial.max_cost_usd is None


class Tightened(msgspec.Struct, frozen=True):
    """What a request is decided by; `max_cost_usd` is a ceiling on its expected dollars, None for none.

    `pace` says which budget turned the dial, None where none did.
    """

    trade_off: TradeOff
    eligible: frozenset[str]
    max_cost_usd: float | None = None
    group: str | None = None
    pace: str | None = None


def tighten(terms: Terms, asked: Asked) -> Tightened:
    """The terms of one request.

    Raises RequestError (400): loosens_profile for what the profile does not allow, invalid_dial for candidates that
    do not exist, lists that leave none and a quality that is out of reach.
    """
    if asked.is_nothing:
        return Tightened(terms.trade_off, terms.eligible, None, terms.group)
    if asked.group is not None and terms.group not in (None, asked.group):
        raise _loosens(asked, "group", f'requests of this profile are of the group "{terms.group}"')
    return Tightened(
        trade_off=_trade_off(terms, asked),
        eligible=_eligible(terms, asked),
        max_cost_usd=_ceiling(terms, asked),
        group=asked.group or terms.group,
    )


def check_named(asked: Asked, name: str, names: Collection[str], input_usd: float | None) -> None:
    """Refuse a model that was named itself, where the same request rules it out: nothing is left to choose.

    `names` are the candidates there are, `input_usd` what the input alone costs (None: no price). Raises RequestError
    (400): invalid_dial for candidates that do not exist, no_candidate for a list or a ceiling that rules the model out.
    """
    for field, listed in (("allow", asked.allow), ("deny", asked.deny)):
        _check_known(asked, field, listed or (), names, names)
        if listed is not None and (name in listed) is (field == "deny"):
            what = f'"{name}" is named by the request, and {asked.param(field)} rules it out'
            raise _ruled_out(what, asked.param(field))
    ceiling = asked.max_cost_usd
    if ceiling is None or (input_usd is not None and input_usd <= ceiling):
        return
    cost = "has no price" if input_usd is None else f"costs {input_usd:.3g} dollars for this input alone"
    what = f'"{name}" is named by the request and {cost}, which may cost {ceiling:g}'
    raise _ruled_out(what, asked.param("max_cost_usd"))


def _ruled_out(what: str, param: str) -> RequestError:
    fix = "name another model, or leave that dial out"
    return RequestError(400, "no_candidate", what, param=param, fix=fix)


def _check_known(
    asked: Asked, field: str, listed: Iterable[str], known: Collection[str], offered: Collection[str]
) -> None:
    for name in listed:
        if name not in known:
            fix = did_you_mean(name, offered) or "see GET /v1/models"
            raise invalid(f'there is no candidate "{name}"', asked.param(field), fix)


def _trade_off(terms: Terms, asked: Asked) -> TradeOff:
    own = terms.trade_off
    if asked.mu is not None:
        if terms.promises_quality and asked.mu > own.mu:
            raise _loosens(asked, "mu", f"this profile promises quality: mu may be at most {own.mu:.6g}")
        if not terms.promises_quality and asked.mu < own.mu:
            raise _loosens(asked, "mu", f"this profile promises cost: mu must be at least {own.mu:.6g}")
        return replace(own, mu=asked.mu)
    if asked.min_quality is None:
        return own
    promised = None if terms.dial.best or not terms.promises_quality else terms.dial.min_quality or DEFAULT_MIN_QUALITY
    if promised is not None and asked.min_quality < promised:
        raise _loosens(asked, "min_quality", f"this profile promises {promised:g} of the reference's quality")
    turned = _turned(terms, asked)
    if terms.dial.best:
        return own
    if not terms.promises_quality and turned.mu < own.mu:
        raise _loosens(asked, "min_quality", "this quality costs more than the profile allows")
    return turned


def _turned(terms: Terms, asked: Asked) -> TradeOff:
    own = terms.trade_off
    dial = Dial(min_quality=asked.min_quality, w=own.w, caution=own.caution, minimax=own.minimax)
    try:
        return terms.turn(dial)
    except (DecisionError, UsageError) as error:
        raise invalid(error.what, asked.param("min_quality"), error.fix or "ask for less") from None


def _eligible(terms: Terms, asked: Asked) -> frozenset[str]:
    for field, names in (("allow", asked.allow or ()), ("deny", asked.deny or ())):
        _check_known(asked, field, names, terms.models, terms.eligible)
    left = terms.eligible if asked.allow is None else frozenset(asked.allow)
    if not left <= terms.eligible:
        name = min(left - terms.eligible)
        raise _loosens(asked, "allow", f'"{name}" is not among the candidates of this profile and key')
    left -= frozenset(asked.deny or ())
    if not left:
        field = "allow" if asked.deny is None else "deny"
        raise invalid("allow and deny leave no candidate", asked.param(field), "allow one that is not denied")
    return left


def _ceiling(terms: Terms, asked: Asked) -> float | None:
    own, ceiling = terms.dial.max_cost_usd, asked.max_cost_usd
    if own is not None and ceiling is not None and ceiling > own:
        raise _loosens(asked, "max_cost_usd", f"this profile allows {own:g} dollars per request")
    return ceiling


def _loosens(asked: Asked, field: str, what: str) -> RequestError:
    fix = "a request may only tighten its profile; ask for more, or use another profile"
    return RequestError(400, "loosens_profile", what, param=asked.param(field), fix=fix)
