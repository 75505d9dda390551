"""One request from its plan to the last byte: candidates are called in order until one answers, and nothing is lost.

Every call is in the ledger before it goes out. Until the first byte of content has gone to the client the next
candidate may take over unseen; after it, a broken answer ends with an error, never as if it were whole.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from itertools import islice

from tenbin.errors import RequestError
from tenbin.gateway.call import Call, Work
from tenbin.gateway.exchange import Exchange, Headers
from tenbin.gateway.headers import to_client, to_upstream, with_beta
from tenbin.gateway.plan import Attempt
from tenbin.gateway.seat import Seat
from tenbin.gateway.spans import span_name
from tenbin.gateway.streaming import stream_through
from tenbin.gateway.wire import Said, Wire
from tenbin.telemetry.traceparent import request_id
from tenbin.upstream.client import CallTimeout, Request
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.manners import MOST_MANNERS
from tenbin.upstream.translate import error_body

DEADLINE_S = 600.0
"""Where the SLA names none: as long as the official clients wait, who wait so long for every piece of a stream."""
CONNECT_S = 10.0
PATIENCE = 0.6
"""While others could still take over, a candidate gets this share of what is left of the deadline."""
MAX_ANSWER_BYTES = 64 << 20
STATUS_OF: Mapping[str, int] = {"timeout": 504, "connect": 502, "reset": 502, "malformed": 502, "cut": 502}
TOLD_FIRST: tuple[frozenset[str], ...] = (
    frozenset({"refused"}),
    frozenset({"rate_limited", "overloaded"}),
    frozenset({"context", "capability"}),
    frozenset({"timeout", "server_error", "malformed", "cut", "reset", "connect"}),
    frozenset({"not_found", "unauthorised"}),
)
"""Which of several failures a client is told: what it can act on (stop, wait, ask for less), before what merely broke,
before what is only ours to mend."""


class Relay:
    """Serves one request by its plan."""

    __slots__ = (
        "call",
        "calls",
        "deadline",
        "decision_headers",
        "exchange",
        "first_token_by",
        "has_promised_end",
        "is_counted",
        "left",
        "refused",
        "request_id",
        "services",
        "span",
        "status",
        "upstream_s",
        "work",
    )

    def __init__(self, exchange: Exchange, work: Work) -> None:
        self.exchange = exchange
        self.work = work
        self.services = work.services
        self.calls = 0
        self.call: Call | None = None
        self.status = 0
        self.upstream_s = 0.0
        self.left: list[str] = []
        self.refused: RequestError | None = None
        self.decision_headers: Headers | None = None
        self.is_counted = False
        sla = work.plan.profile.profile.sla if work.plan.profile is not None else None
        # Deadlines are on the loop's clock, which ticks in milliseconds; durations are taken on the finer one.
        arrived = self.services.loop.time() - (time.perf_counter() - work.arrived)
        promised_s = None if sla is None else sla.deadline_s
        self.has_promised_end = promised_s is not None
        self.deadline = arrived + (promised_s or DEADLINE_S)
        self.first_token_by = arrived + sla.first_token_s if sla is not None and sla.first_token_s else None
        headers = exchange.headers
        self.request_id = request_id(headers.get("x-request-id"))
        self.span = self.services.traces.begin(
            span_name(work.incoming), headers.get("traceparent"), headers.get("tracestate")
        )

    async def run(self) -> None:
        """Answer the client. RequestError where nothing could even be tried."""
        self.exchange.when_left(asyncio.current_task())
        try:
            await self._run()
        except RequestError as refused:
            self.refused = refused
            raise
        finally:
            self.exchange.when_left(None)
            self._count_plan()  # also of a request that was never sent
            self.services.ended(self)

    @property
    def first_token_s(self) -> float | None:
        """From the request to the first content, with all that was tried before; None where there was none."""
        call = self.call
        if call is None or call.first_token_s is None:
            return None
        return call.began - self.work.arrived + call.first_token_s

    async def _run(self) -> None:
        attempts = self.work.plan.attempts
        failures: list[tuple[UpstreamFailure, Wire]] = []
        unsaid: RequestError | None = None
        is_away = False
        for i, attempt in enumerate(attempts):
            wire = Wire(self.work.incoming, attempt.destination, self.services.learnt.of(attempt.destination))
            try:  # its own dialect has words for every request, and they are put together while the disk is at work
                said = wire.say(strips_before=attempt.strips_before) if wire.is_foreign else None
            except RequestError as error:
                unsaid = error
                self.left.append(attempt.destination.candidate.name)
                continue
            seat = self.services.seat(attempt.destination)
            if seat is None:
                is_away = True
                self.left.append(attempt.destination.candidate.name)
                continue
            try:
                failure = await self._try(attempt, wire, said, seat, islice(attempts, i + 1, None))
                while failure is not None and (better := self._better(attempt, wire, failure)) is not None:
                    wire, said = better
                    failure = await self._try(attempt, wire, said, seat, islice(attempts, i + 1, None))
            finally:
                seat.leave()
            if failure is None:
                return
            failures.append((failure, wire))
            if not failure.moves_on:
                break
            self.left.append(attempt.destination.candidate.name)
            if self.services.loop.time() >= self.deadline:
                break
        if not failures:
            if unsaid is not None and not is_away:
                raise unsaid
            self.services.gave_up(self.work, None)
            raise self._all_away()
        await self._give_back(*min(failures, key=lambda failed: _told_first(failed[0])))

    def _better(self, attempt: Attempt, wire: Wire, failure: UpstreamFailure) -> tuple[Wire, Said] | None:
        """The same request as this candidate takes it, where its refusal tells how; None where it tells nothing."""
        if wire.incoming.endpoint not in ("chat", "messages"):
            return None
        manners = wire.manners | self.services.learnt.learn(wire.destination, failure)
        is_over = len(manners) > MOST_MANNERS or self.services.loop.time() >= self.deadline
        if manners == wire.manners or is_over:
            return None
        better = Wire(wire.incoming, wire.destination, manners)
        said = better.say(strips_before=attempt.strips_before)
        return None if said == wire.say(strips_before=attempt.strips_before) else (better, said)

    async def _try(
        self, attempt: Attempt, wire: Wire, said: Said | None, seat: Seat, others: Iterable[Attempt]
    ) -> UpstreamFailure | None:
        """Call one candidate and answer with what it says; the failure where the next one of `others` may take over.

        `said` is the request in its dialect, where that is another than the client's.
        """
        call = self.call = Call(self.work, attempt, self.calls, seat)
        try:
            durable = await call.begin()
            self.calls += 1
            if self.services.in_flight == 1:  # among others it goes with what they hand in during this turn of the loop
                self.services.ledger.ring()  # from here on the disk is at work: the call is made ready meanwhile
            said = said or wire.say(strips_before=attempt.strips_before)
            request = self._request(wire, said)
            is_last = not any(self.services.has_seat(other.destination) for other in others)
            await durable
            call.is_sent = True
            self.decision_headers = None
            self.services.loop.call_soon(
                self._while_upstream_works, call
            )  # before anything can have come from the upstream
            await self._call(call, wire, request, is_last)
        except UpstreamFailure as failure:
            call.failed(failure)
            return failure
        except BaseException as error:
            if not call.is_sent:
                call.dropped(client_left=self.exchange.is_gone)
            elif isinstance(error, asyncio.CancelledError):
                call.cancelled()
            else:
                call.lost()
            raise
        return None

    def _request(self, wire: Wire, said: Said) -> Request:
        exchange, destination = self.exchange, wire.destination
        headers = to_upstream(exchange.headers, destination.dialect, self.request_id, self.span.traceparent)
        path = with_beta(said.path, exchange.scope.get("query_string", b""))
        return self.services.client.ready(destination, path, said.body, headers)

    def _while_upstream_works(self, call: Call) -> None:
        """What can wait until the upstream is at work."""
        if call is self.call:  # the first of two may have failed at once
            self.decision_headers = self._decided(call)
        self._count_plan()

    def _count_plan(self) -> None:
        if not self.is_counted:
            self.is_counted = True
            self.services.planned(self.work.plan, self.work.caller.key_id, self.work.planned_s)

    async def _call(self, call: Call, wire: Wire, request: Request, is_last: bool) -> None:
        incoming, destination = self.work.incoming, wire.destination
        timeout, first_by = self._patience(is_last)
        sent_at = time.perf_counter()
        try:
            reply = await self.services.client.call(request, timeout)
            if (failure := await reply.failure(destination.dialect, streamed=incoming.is_stream)) is not None:
                raise failure
            shown = self._headers(reply.headers, self.decision_headers or self._decided(call))
            if incoming.is_stream:
                self.status = reply.status
                await stream_through(self.exchange, call, wire, reply, shown, first_by)
                return
            body = await reply.read(MAX_ANSWER_BYTES)
        finally:
            self.upstream_s += time.perf_counter() - sent_at
        try:
            answered = wire.read(body)
            call.told = answered.usage
            if answered.failure is not None:
                raise answered.failure
            answer = wire.answer(body)
        except UpstreamFailure as inside:
            inside.body = reply.redacted(inside.body)
            raise
        self.status = reply.status
        await self.exchange.answer(reply.status, answer, shown)
        call.succeeded(answered.usage, http_status=reply.status, response_id=answered.response_id, answer=answer)

    def _patience(self, is_last: bool) -> tuple[CallTimeout, float | None]:
        """How long a candidate may take, and when (on the loop's clock) the first content of a stream must be here.

        A stream that has begun ends by the deadline that was promised, or goes on for as long as something comes.
        """
        now = self.services.loop.time()
        share = 1.0 if is_last else PATIENCE
        left_s = max(self.deadline - now, 0.001)
        if not self.work.incoming.is_stream:
            return CallTimeout(min(CONNECT_S, left_s), None, left_s * share), None
        first_s = left_s if self.first_token_by is None else max(self.first_token_by - now, 0.001)
        first_s *= share
        return CallTimeout(min(CONNECT_S, first_s), first_s, left_s if self.has_promised_end else None), now + first_s

    def _headers(self, upstream: Mapping[str, str], decided: Headers) -> Headers:
        """What the client is told beside the answer: what the upstream said, and what was decided."""
        shown = to_client(upstream)
        said = dict(shown)
        if b"x-request-id" not in said:
            shown.append((b"x-request-id", self.request_id.encode("ascii", "replace")))
        if self.work.incoming.dialect == "anthropic" and b"request-id" not in said:  # where its clients look for it
            shown.append((b"request-id", said.get(b"x-request-id", self.request_id.encode("ascii", "replace"))))
        return [*shown, *decided]

    def _decided(self, call: Call | None) -> Headers:
        """What the client is told of the decision."""
        plan = self.work.plan
        shown = [
            (b"x-tenbin-decision-id", plan.decision_id.encode()),
            (b"x-tenbin-reason", plan.reason.encode("ascii", "replace")[:500]),
        ]
        if call is not None:
            shown.append((b"x-tenbin-model", call.name.encode("ascii", "replace")))
            for name, value in ((b"quality", call.attempt.quality), (b"cost-usd", call.attempt.cost_usd)):
                if value is not None and math.isfinite(value):
                    shown.append((b"x-tenbin-expected-" + name, b"%.6g" % value))
        if self.left:
            shown.append((b"x-tenbin-fallbacks", ", ".join(self.left).encode("ascii", "replace")[:500]))
        return shown

    async def _give_back(self, failure: UpstreamFailure, wire: Wire) -> None:
        """Answer with a candidate's refusal: its status, body and Retry-After as they are."""
        headers = self._headers(failure.headers, self._decided(None))
        if self.calls > 1:
            # We have tried again already: a client that does so, too, would multiply the calls.
            headers = [*headers, (b"x-should-retry", b"false")]
        dialect = self.work.incoming.dialect
        said = failure.status if failure.status is not None and 400 <= failure.status < 600 else None
        if said is not None and _is_json(failure.body):
            status, body = wire.error(said, failure.body)
        else:
            status = said or STATUS_OF.get(failure.kind, 502)
            body = error_body(dialect, status, f"upstream_{failure.kind}", failure.what)
        self.status = status
        self.services.gave_up(self.work, failure)
        await self.exchange.answer(status, body, headers)

    def _all_away(self) -> RequestError:
        waits = [self.services.breakers.wait_s(a.destination.candidate.name) for a in self.work.plan.attempts]
        names = ", ".join(self.left[:5])
        return RequestError(
            503,
            "candidates_unavailable",
            f"no candidate takes calls at the moment: {names} failed lately or has all its calls running",
            fix="try again",
            retry_after_s=max(min(waits, default=1.0), 1.0),
        )


def _told_first(failure: UpstreamFailure) -> tuple[int, float]:
    """The smaller, the more it tells a client; among equals who may be asked again soonest, then who came first."""
    rank = next(i for i, kinds in enumerate(TOLD_FIRST) if failure.kind in kinds)
    return rank, math.inf if failure.retry_after_s is None else failure.retry_after_s


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[")
