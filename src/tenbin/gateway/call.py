"""One call to one candidate: written down before it goes out, settled exactly once, whatever happens in between."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from tenbin.errors import RequestError
from tenbin.gateway.baseline import baseline_usd
from tenbin.gateway.caller import Caller
from tenbin.gateway.incoming import BYTES_PER_TOKEN, Incoming
from tenbin.gateway.plan import Attempt, Plan
from tenbin.gateway.seat import Seat
from tenbin.gateway.snapshot import Snapshot
from tenbin.store.account import Reservation
from tenbin.store.keys import KeyRecord
from tenbin.store.records import Decided, Intent, Settled, Status
from tenbin.types import Usage
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.usage import possible_usage

if TYPE_CHECKING:
    from tenbin.gateway.services import Services

MOST_OUTPUT = 4.0
LEAST_OUTPUT_TOKENS = 1000.0
"""An answer without a cap is reserved for at this many times its expected length, and at least for this long."""
UNKNOWN_OUTPUT_TOKENS = 4096.0
INPUT_MARGIN = 1.25
FASTER: Mapping[str, frozenset[bytes]] = MappingProxyType(
    {"service_tier": frozenset({b'"priority"', b'"fast"'}), "speed": frozenset({b'"fast"'})}
)
"""How clients ask to be answered faster, and dearer, than others."""
BILLED_ANYWAY = frozenset({"timeout", "reset", "cut"})
"""Failures after which the provider may bill what it made: booked at what was expected."""


class Work(msgspec.Struct, eq=False):
    """What all calls of one request have in common; `arrived` is on `time.perf_counter`, `planned_s` after that."""

    services: Services
    snapshot: Snapshot
    incoming: Incoming
    caller: Caller
    plan: Plan
    arrived: float
    planned_s: float
    body: bytes

    @property
    def stores_text(self) -> bool:
        """Whether the profile keeps prompts and answers."""
        return self.plan.profile is not None and self.plan.profile.profile.store_prompts


class Call:
    """A call to the candidate `name` that is under way; `settle` it, or its reserve stands."""

    __slots__ = (
        "attempt",
        "baseline_usd",
        "began",
        "cost_usd",
        "failure",
        "first_token_s",
        "is_intended",
        "is_sent",
        "is_settled",
        "name",
        "no",
        "reservation",
        "reserve_usd",
        "seat",
        "told",
        "usage",
        "work",
    )

    def __init__(self, work: Work, attempt: Attempt, no: int, seat: Seat) -> None:
        self.work = work
        self.attempt = attempt
        self.name = attempt.destination.candidate.name
        self.no = no
        self.began = 0.0
        self.seat = seat
        self.is_intended = self.is_sent = self.is_settled = False
        self.first_token_s: float | None = None
        self.failure: str | None = None
        self.told: Usage | None = None
        """What a whole answer says that it is billed for, even where it cannot be said in the client's dialect."""
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.baseline_usd: float | None = None
        self.reserve_usd = reserve_usd(work, attempt)
        self.reservation: Reservation | None = None

    async def begin(self) -> asyncio.Future[bool]:
        """Set the money aside and hand in the intent; RequestError 429 where the key's budget is spent.

        Nothing may go out before what is given is done: the intent is durable then, or the journal cannot be written.
        """
        work = self.work
        key = work.caller.key
        if key is not None and (key.day_usd is not None or key.month_usd is not None):
            await self._reserve(key)
        plan, now = work.plan, time.time()
        intent = Intent(
            request_id=plan.decision_id,
            call_no=self.no,
            at=now,
            worker=work.services.ledger.writer,
            key_id=work.caller.key_id,
            profile=plan.profile_name,
            endpoint=work.incoming.endpoint,
            asked_model=work.incoming.model,
            candidate=self.name,
            decision_id=plan.decision_id,
            reserve_usd=self.reserve_usd or 0.0,
            conversation=None if plan.prints is None else plan.prints.own,
            user=work.incoming.user,
            prompt=work.body if work.stores_text else None,
            strips_before=self.attempt.strips_before or None,
        )
        self.began = time.perf_counter()
        self.is_intended = True
        work.services.pacers.began(plan.profile_name or "", self, self.attempt.cost_usd)
        profile = plan.profile_name
        if self.no or profile is None:  # of a model that was named itself the intent says all that there is to say
            return work.services.ledger.hand_in(intent)
        decided = Decided(plan.decision_id, now, work.caller.key_id, profile, self.name, plan.document(now))
        return work.services.ledger.hand_in(decided, intent)

    async def _reserve(self, key: KeyRecord) -> None:
        work = self.work
        if self.reserve_usd is None:
            what = f'"{self.name}" has no price, and this key has a budget in dollars'
            raise RequestError(403, "unpriced_model", what, fix="add its price to the price book")
        self.reservation = await work.services.budgets.reserve(key, self.reserve_usd)
        if self.reservation is not None:
            return
        refused = {budget.refusal: budget for budget in work.services.budgets.standing(key)}
        what, fix, wait_s = "the budget of this key is spent", "raise it, or wait", None
        if "spent" in refused:
            spent = refused["spent"]
            what = f"the budget of this key, ${spent.budget_usd:g} a {spent.period}, is spent"
            wait_s = max(spent.resets_at - time.time(), 1.0)
        elif "held" in refused:
            what = "calls under way have set aside what is left of the budget of this key"
            fix, wait_s = "wait until one ends, or cap answers: a call sets aside what it could cost at most", 1.0
        raise RequestError(429, "budget_exhausted", what, fix=fix, retry_after_s=wait_s)

    def succeeded(
        self, usage: Usage | None, *, http_status: int, response_id: str | None, answer: bytes | None
    ) -> None:
        """The answer came whole."""
        usage = self._believed(usage)
        cost = None if usage is None else self.work.snapshot.bill_usd(self.name, usage)
        self.seat.succeeded()
        self._settle("ok", usage, cost, http_status=http_status, response_id=response_id, answer=answer)
        self.work.services.remember(self.work, self.attempt, usage)

    def failed(
        self,
        failure: UpstreamFailure,
        usage: Usage | None = None,
        said_bytes: int = 0,
        response_id: str | None = None,
    ) -> None:
        """No usable answer came, or not all of it: so much of it had been said, of the response of this name."""
        if failure.counts:
            self.seat.failed(failure.retry_after_s)
        elif not failure.is_ours:
            self.seat.succeeded()
        cost = 0.0
        usage = self._believed(usage or self.told)
        if failure.kind in BILLED_ANYWAY or said_bytes or self.told is not None:
            cost = self._expected_usd(usage, said_bytes)
        self._settle("failed", usage, cost, http_status=failure.status, failure=failure.kind, response_id=response_id)

    def cancelled(self, usage: Usage | None = None, said_bytes: int = 0, response_id: str | None = None) -> None:
        """The client left after so much had been said, of the response of this name."""
        usage = self._believed(usage)
        self._settle(
            "cancelled", usage, self._expected_usd(usage, said_bytes), http_status=499, response_id=response_id
        )

    def lost(self) -> None:
        """A bug of ours ended the call half-way: it was sent, and may be billed."""
        self._settle("failed", None, self._expected_usd(None, 0), failure="internal")

    def dropped(self, *, client_left: bool = False) -> None:
        """The call was never made."""
        if self.is_intended:
            self._settle("cancelled" if client_left else "failed", None, 0.0, failure="not_sent")
        elif self.reservation is not None:
            self.work.services.budgets.settle(self.reservation, 0.0)

    def _believed(self, usage: Usage | None) -> Usage | None:
        """The usage; None where it cannot be: a call of unknown usage costs its reserve."""
        incoming, candidate = self.work.incoming, self.attempt.destination.candidate
        window_tokens = candidate.context_window_tokens
        if usage is None or possible_usage(usage, window_tokens, incoming.body_bytes, incoming.answers) is not None:
            return usage
        self.work.services.log.warning(
            "%s counts %d tokens in and %d out, more than there can be (call %d of %s): booked without them",
            self.name,
            usage.input_tokens,
            usage.output_tokens,
            self.no,
            self.work.plan.decision_id,
        )
        return None

    def _expected_usd(self, usage: Usage | None, said_bytes: int) -> float:
        """What a call whose end nobody saw is booked at: its usage so far, what was expected, or the reserve.

        In any case what was said is paid for: Anthropic's streams count it only at their end, OpenAI's not before, and
        a client that leaves a moment earlier has had the answer.
        """
        bill = self.work.snapshot.bill_usd
        said_tokens = round(min(said_bytes / BYTES_PER_TOKEN, _cap_tokens(self.work, self.attempt)))
        if usage is not None:
            seen = msgspec.structs.replace(usage, output_tokens=max(usage.output_tokens, said_tokens))
            if (cost := bill(self.name, seen)) is not None:
                return cost
        expected = self.attempt.cost_usd
        if expected is None or not expected >= 0.0:
            expected = self.reserve_usd or 0.0
        said = bill(self.name, Usage(round(sent_tokens(self.work, self.attempt)), said_tokens)) if said_tokens else 0.0
        return max(expected, said or 0.0)

    def _baseline_usd(self, status: Status, usage: Usage | None, cost_usd: float | None) -> float | None:
        """What the reference would have cost for an answer; where it answered itself, if in part, what it did."""
        plan, served, snapshot = self.work.plan, self.work.plan.profile, self.work.snapshot
        reference = None if served is None else served.router.models[served.reference]
        if status == "failed" or (status != "ok" and self.name != reference):
            return None
        if self.name == reference or plan.baseline_usd is None or reference is None:
            return cost_usd if self.name == reference else None
        sent = usage or Usage(round(sent_tokens(self.work, self.attempt)), 0)
        return baseline_usd(plan.baseline_usd, partial(snapshot.bill_usd, reference), sent, plan.turn_tokens)

    def _settle(
        self,
        status: Status,
        usage: Usage | None,
        cost_usd: float | None,
        *,
        http_status: int | None = None,
        failure: str | None = None,
        response_id: str | None = None,
        answer: bytes | None = None,
    ) -> None:
        if self.is_settled:
            return
        self.is_settled = True
        self.failure, self.usage, self.cost_usd = failure, usage, cost_usd
        work = self.work
        services = work.services
        if self.reservation is not None:
            services.budgets.settle(self.reservation, self.reserve_usd or 0.0 if cost_usd is None else cost_usd)
        if response_id is not None:
            services.gave(work, self.attempt, response_id)
        latency_s = time.perf_counter() - self.began
        self.baseline_usd = self._baseline_usd(status, usage, cost_usd)
        services.ledger.post(
            Settled(
                request_id=work.plan.decision_id,
                call_no=self.no,
                at=time.time(),
                status=status,
                http_status=http_status,
                usage=usage,
                cost_usd=cost_usd,
                baseline_usd=self.baseline_usd,
                price_version=work.snapshot.price_version,
                latency_s=latency_s,
                first_token_s=self.first_token_s,
                fallbacks=self.no,
                response_id=response_id,
                failure=failure,
                answer=answer if work.stores_text else None,
            )
        )
        services.settled(work, self, status, usage, cost_usd)


def reserve_usd(work: Work, attempt: Attempt) -> float | None:
    """The most that a call is likely to cost; None where the candidate has no price."""
    sent = round(sent_tokens(work, attempt) * INPUT_MARGIN)
    members = work.incoming.members
    is_faster = any(bytes(members[name]).strip() in FASTER[name] for name in members.keys() & FASTER.keys())
    usage = Usage(sent, round(_most_output(work, attempt)), tier="priority" if is_faster else None)
    return work.snapshot.bill_usd(attempt.destination.candidate.name, usage)


def sent_tokens(work: Work, attempt: Attempt) -> float:
    """The input of a call, as it is expected."""
    sent = attempt.input_tokens
    return sent if sent >= 0.0 else work.incoming.sent_tokens(attempt.destination.model)


def _cap_tokens(work: Work, attempt: Attempt) -> float:
    """The longest that all answers together may be; endless where nobody says."""
    caps = [c for c in (work.incoming.max_output_tokens, attempt.destination.candidate.max_output_tokens) if c]
    return float(min(caps)) * work.incoming.answers if caps else math.inf


def _most_output(work: Work, attempt: Attempt) -> float:
    if (cap := _cap_tokens(work, attempt)) < math.inf:
        return cap
    if work.incoming.endpoint == "embeddings":
        return 0.0
    expected = attempt.output_tokens  # of all answers
    if expected is None or not expected >= 0.0:
        return UNKNOWN_OUTPUT_TOKENS * work.incoming.answers
    return max(MOST_OUTPUT * expected, LEAST_OUTPUT_TOKENS * work.incoming.answers)
