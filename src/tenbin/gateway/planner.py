"""From a request to its plan: who may answer it, what the router thinks, and what holds where the router cannot say."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import msgspec
import numpy as np

from tenbin.errors import DecisionError, NetworkError, RequestError
from tenbin.gateway.asked import Asked
from tenbin.gateway.bond import Bond, bond_of
from tenbin.gateway.caller import Caller
from tenbin.gateway.decider import Decider
from tenbin.gateway.elsewhere import Elsewhere
from tenbin.gateway.incoming import Incoming
from tenbin.gateway.key_watch import KeyWatch
from tenbin.gateway.pacers import Pace
from tenbin.gateway.plan import PINNED, PINNED_REASON, Attempt, Plan
from tenbin.gateway.ranked import Ranked
from tenbin.gateway.retreat import Retreat
from tenbin.gateway.session import Fingerprints, Session, Sessions, cached_tokens, fingerprints
from tenbin.gateway.snapshot import ServedProfile, Snapshot
from tenbin.gateway.stranger_budgets import StrangerBudgets
from tenbin.gateway.tighten import Terms, Tightened, tighten
from tenbin.reasons import Reason
from tenbin.router.deciding import why_nobody
from tenbin.router.weighing import Ask, Weighed, beyond_budget
from tenbin.store.ids import new_id
from tenbin.types import Candidate, Floats, Query, Usage
from tenbin.upstream.destination import Destination
from tenbin.upstream.translate import untranslatable

CODES: Mapping[str, str] = MappingProxyType(
    {
        "least_loss": "least_loss",
        "best_quality": "best_quality",
        "least_cost": "least_cost",
        "only_eligible": "only_one",
        "to_reference": "stranger",
        "to_cheapest": "beyond_stranger_budget",
        "sheltered": "new_subject",
    }
)
"""What metrics call the reasons of the router, by their keys."""

NEW_SUBJECTS_SHARE = 0.5
"""A new subject leaves the rest of a stranger budget to strangers, who go to the cheapest without one."""

Bars = Sequence[str | None]


class Asking(msgspec.Struct, frozen=True, eq=False):
    """A request that wants a plan, with everything that bears on it."""

    snapshot: Snapshot
    incoming: Incoming
    caller: Caller
    asked: Asked
    retreat: Retreat | None
    now: float
    pace: Pace | None = None
    is_alone: bool = False


class Planner:
    """Makes plans; holds the decider, the conversations under way, the budgets of strangers and the watch over keys."""

    def __init__(
        self, decider: Decider, sessions: Sessions, elsewhere: Elsewhere, strangers: StrangerBudgets, keys: KeyWatch
    ) -> None:
        self.decider = decider
        self.sessions = sessions
        self.elsewhere = elsewhere
        self.strangers = strangers
        self.keys = keys
        self.log = logging.getLogger("tenbin.gateway.planner")

    def pinned(self, incoming: Incoming, destination: Destination) -> Plan:
        """The plan for a model that was named itself: that one, unrouted."""
        attempt = Attempt(destination, incoming.sent_tokens(destination.model))
        return Plan(new_id("dec"), (attempt,), PINNED_REASON, PINNED)

    def following(self, incoming: Incoming, destination: Destination, served: ServedProfile) -> Plan:
        """The plan for a request that goes on with a response: who gave it answers, on the profile's account."""
        attempt = Attempt(destination, incoming.sent_tokens(destination.model))
        return Plan(new_id("dec"), (attempt,), "gave the response that this goes on with", "previous_response", served)

    async def routed(self, asking: Asking, served: ServedProfile) -> Plan:
        """The plan of a profile; RequestError where nobody may answer. A decision that fails or is late falls back."""
        prints = self._prints(asking, served)
        session = None if prints is None else await self._session(asking, prints)
        answered = session
        if session is not None and prints is not None and session.length == len(asking.incoming.messages):
            answered = self.sessions.before(prints, asking.now) or session  # this very turn, which is asked again
        bond = bond_of(asking.incoming, answered, asking.snapshot.destinations)
        tightened = _paced(asking, tighten(_terms(asking, served), asking.asked))
        barred = bond.bars(served.destinations, _barred(asking, served, tightened))
        if None not in barred:
            raise _nobody(served, barred)
        fallback = _Fallback(asking, served, barred, bond, prints)
        if asking.retreat is not None:
            return fallback.plan("retreated", f"the profile has retreated: {asking.retreat.sentence}")
        if served.alone is not None:
            return fallback.plan("uncertified", f"the reference alone is certified: {served.alone}")
        is_new_subject = self.keys.new_subject.has(served.profile.name, asking.caller.key_id)
        ask = _ask(asking, served, tightened, barred, session, is_new_subject)
        try:
            weighed = await self.decider.decide(
                served.router, ask, served.profile.decision_deadline_ms / 1000.0, is_alone=asking.is_alone
            )
        except DecisionError as refusal:
            param = asking.asked.param("max_cost_usd") if refusal.where == "max_cost_usd" else None
            raise RequestError(400, "no_candidate", refusal.what, param=param, fix=refusal.fix) from None
        except TimeoutError:
            return fallback.plan("late", "safe default: the decision came too late")
        except Exception as error:
            if isinstance(error, NetworkError):  # the way there is down for every request: no stack for each
                self.log.error("a decision failed: %s", error)
            else:
                self.log.exception("a decision failed")
            return fallback.plan("failed", f"safe default: deciding failed ({type(error).__name__})")
        if math.isnan(weighed.loss[weighed.ranking[0]]):  # the router's own default is its reference, not the profile's
            return msgspec.structs.replace(fallback, barred=weighed.barred).plan("failed", weighed.reason)
        stranger_usd = weighed.stranger_usd if tightened.trade_off.mu > 0.0 else None
        is_by_dial = stranger_usd is None
        if stranger_usd is not None and not self._has_taken(asking, served, weighed, stranger_usd):
            is_by_dial = weighed.by_dial is not None
            weighed, stranger_usd = beyond_budget(weighed), None
        is_new_turn = not self._stays(weighed, session, prints)
        if is_new_turn:
            self.keys.weighed(served, asking.caller.key_id, weighed)
        plan = _weighed(served, tightened, weighed, bond, prints, stranger_usd, is_new_turn and is_by_dial)
        tokens = _turn_tokens(asking, served, session)
        return msgspec.structs.replace(plan, turn_tokens=tokens) if tokens else plan

    async def _session(self, asking: Asking, prints: Fingerprints) -> Session | None:
        """The latest turn of the conversation, whoever served it."""
        known = self.sessions.find(prints, asking.now)
        return await self.elsewhere.find(asking.incoming, prints, known, asking.now)

    def _has_taken(self, asking: Asking, served: ServedProfile, weighed: Weighed, usd: float) -> bool:
        """Whether the key's stranger budget holds what the reference costs more, and has given it."""
        share = 1.0 if weighed.by_dial is None else NEW_SUBJECTS_SHARE
        return self.strangers.take(served.profile.name, asking.caller.key_id, usd, share)

    def _stays(self, weighed: Weighed, session: Session | None, prints: Fingerprints | None) -> bool:
        """Whether a conversation goes on with the model it had: its turns are alike, and counted once."""
        if session is None or prints is None or weighed.models[weighed.ranking[0]] != session.candidate:
            return False
        return not self.sessions.has_answered(prints)

    def _prints(self, asking: Asking, served: ServedProfile) -> Fingerprints | None:
        """The fingerprints of the conversation, apart for every key and profile."""
        if not asking.incoming.messages:
            return None
        return fingerprints(asking.incoming.messages, scope=f"{asking.caller.key_id} {served.profile.name}")


class _Fallback(msgspec.Struct, frozen=True, eq=False):
    """What holds without the router: the safe default first, then the reference, then the rest by name.

    Where money ran out, the reference is often the dearest of all: then the safe default counts only if it was named,
    and who costs less comes first.
    """

    asking: Asking
    served: ServedProfile
    barred: Bars
    bond: Bond
    prints: Fingerprints | None

    def plan(self, code: str, reason: str) -> Plan:
        served, barred = self.served, _affordable(self.asking, self.served, self.barred)
        order = [m for m in dict.fromkeys(self._order(code)) if barred[m] is None]
        sent_tokens = self.asking.incoming.sent_tokens
        attempts = [
            Attempt(destination, sent_tokens(destination.model), strips_before=self.bond.strips_before(destination))
            for m in order
            if (destination := served.destinations[m]) is not None
        ]
        return Plan(new_id("dec"), tuple(attempts), reason, code, served, prints=self.prints)

    def _order(self, code: str) -> Sequence[int]:
        """Who comes before whom, with repetitions."""
        served, retreat = self.served, self.asking.retreat
        if retreat is not None and retreat.reason == "spend":
            named = () if served.profile.safe_default is None else (served.safe_default,)
            return (*named, *served.thrifty)
        first = served.reference if retreat is not None or code == "uncertified" else served.safe_default
        rest = sorted(range(len(self.barred)), key=lambda m: served.router.models[m])
        return (first, served.safe_default, served.reference, *rest)


def _ask(
    asking: Asking,
    served: ServedProfile,
    tightened: Tightened,
    barred: Bars,
    session: Session | None,
    is_new_subject: bool,
) -> Ask:
    incoming = asking.incoming
    query = Query(
        query_id="",
        messages=tuple(incoming.messages),
        group=tightened.group,
        max_output_tokens=incoming.max_output_tokens,
        requirements=incoming.requirements,
    )
    return Ask(
        query,
        tightened.trade_off,
        barred,
        cached_tokens=_cached(asking, served, session),
        max_cost_usd=tightened.max_cost_usd,
        hidden_tokens=incoming.hidden_tokens,
        attached=incoming.attached,
        answers=incoming.answers,
        has_stranger_budget=served.has_stranger_budget,
        is_new_subject=is_new_subject,
    )


def _cached(asking: Asking, served: ServedProfile, session: Session | None) -> Floats | None:
    """What of the prompt lies in whose cache: only in that of who answered last, and not for long."""
    if session is None or session.candidate not in served.router.models:
        return None
    tokens = cached_tokens(session, asking.now)
    if not tokens:
        return None
    found = np.zeros(len(served.router.models))
    found[served.router.models.index(session.candidate)] = tokens
    return found


def _turn_tokens(asking: Asking, served: ServedProfile, session: Session | None) -> int:
    """What of the prompt would lie in the reference's cache had it answered; of its own the estimates know."""
    if session is None or session.candidate == served.router.models[served.reference]:
        return 0
    return cached_tokens(session, asking.now)


def _barred(asking: Asking, served: ServedProfile, tightened: Tightened) -> Bars:
    """Why each candidate may not answer this request, before anything is estimated."""
    incoming = asking.incoming
    barred = served.barred
    if tightened.eligible is not served.terms.eligible:
        not_for_caller = Reason("not_for_caller")
        barred = tuple(
            bar or (None if name in tightened.eligible else not_for_caller)
            for name, bar in zip(served.router.models, barred, strict=True)
        )
    if incoming.requirements:
        barred = tuple(
            bar or _lacking(candidate, incoming)
            for candidate, bar in zip(served.router.candidates, barred, strict=True)
        )
    if incoming.endpoint == "responses" or served.dialects != {incoming.dialect}:
        body = incoming.everything() if incoming.endpoint != "responses" else {}
        barred = tuple(
            bar or _unsaid(incoming, body, destination)
            for destination, bar in zip(served.destinations, barred, strict=True)
        )
    return barred


def _lacking(candidate: Candidate, incoming: Incoming) -> str | None:
    """The router bars these, too; here it holds as well where the router cannot be asked."""
    if candidate.capabilities is None or incoming.requirements <= candidate.capabilities:
        return None
    return Reason("lacks", capabilities=", ".join(sorted(incoming.requirements - candidate.capabilities)))


def _affordable(asking: Asking, served: ServedProfile, barred: Bars) -> Bars:
    """The bars with those of the request's ceiling where nothing is weighed: by what the input alone costs."""
    ceiling = asking.asked.max_cost_usd
    if ceiling is None:
        return barred
    bound = [
        bar or _over(asking, destination, ceiling) for destination, bar in zip(served.destinations, barred, strict=True)
    ]
    if None not in bound:
        raise _nobody(served, bound, asking.asked.param("max_cost_usd"))
    return bound


def _over(asking: Asking, destination: Destination | None, ceiling_usd: float) -> str | None:
    if destination is None:
        return None
    sent_tokens = asking.incoming.sent_tokens(destination.model)
    usd = asking.snapshot.bill_usd(destination.candidate.name, Usage(round(sent_tokens), 0))
    if usd is None or usd <= ceiling_usd:
        return None
    return Reason("over_ceiling", cost=f"${usd:.3g}", ceiling=f"${ceiling_usd:g}")


def _terms(asking: Asking, served: ServedProfile) -> Terms:
    """The terms of the profile, with only the candidates that the key may reach."""
    key = asking.caller.key
    if key is None or key.models is None:
        return served.terms
    return replace(served.terms, eligible=served.terms.eligible & key.models)


def _paced(asking: Asking, tightened: Tightened) -> Tightened:
    """The terms with the dial turned so that the profile's budget is kept."""
    pace, trade_off = asking.pace, tightened.trade_off
    if pace is None:
        return tightened
    is_asked = asking.asked.mu is not None or asking.asked.min_quality is not None
    mu = pace.mu_of(trade_off.mu, is_asked=is_asked)
    if mu == trade_off.mu:
        return tightened
    return msgspec.structs.replace(tightened, trade_off=replace(trade_off, mu=mu), pace=pace.sentence)


def _unsaid(incoming: Incoming, body: dict[str, object], destination: Destination | None) -> str | None:
    """Why a request cannot be said to this candidate: another dialect without the words, or not this endpoint."""
    if destination is None:
        return None
    if incoming.endpoint == "responses":
        return None if destination.speaks_responses else "does not speak /v1/responses"
    return untranslatable(body, incoming.dialect, destination.dialect, destination.model)


def _weighed(
    served: ServedProfile,
    tightened: Tightened,
    weighed: Weighed,
    bond: Bond,
    prints: Fingerprints | None,
    stranger_usd: float | None,
    is_watched: bool,
) -> Plan:
    attempts = Ranked(served, weighed, bond)
    reason: str = weighed.reason
    if attempts[0].strips_before:
        author = "another model"
        if bond.author is not None and attempts[0].strips_before == bond.length:
            author = bond.author.candidate.name
        reason = f"{reason}; thinking of {author} left out"
    if tightened.pace is not None:
        reason = f"{reason}; {tightened.pace}"
    baseline = weighed.cost_usd.item(served.reference)
    return Plan(
        decision_id=new_id("dec"),
        attempts=attempts,
        reason=reason,
        code=CODES.get(_main_key(weighed.reason), "safe_default"),
        profile=served,
        trade_off=tightened.trade_off,
        weighed=weighed,
        baseline_usd=baseline if math.isfinite(baseline) else None,
        prints=prints,
        stranger_usd=stranger_usd,
        is_watched=is_watched,
    )


def _main_key(reason: Reason) -> str:
    """The key of a reason, or of the one to which a ground was added."""
    main = reason.values.get("reason")
    return main.key if isinstance(main, Reason) else reason.key


def _nobody(served: ServedProfile, barred: Bars, param: str | None = None) -> RequestError:
    reasons = why_nobody(served.router.models, barred)
    return RequestError(
        400,
        "no_candidate",
        f"no candidate of profile {served.profile.name} may answer this request: {reasons}",
        param=param,
        fix="allow more candidates, or ask for less",
    )
