"""What all requests of one worker share: ledger, client, keys, budgets, breakers, conversations, figures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tenbin.errors import StoreError, TenbinError
from tenbin.gateway.breakers import Breakers
from tenbin.gateway.caller import Callers
from tenbin.gateway.decider import Decider
from tenbin.gateway.elsewhere import Elsewhere
from tenbin.gateway.expiry import Expiry
from tenbin.gateway.key_watch import KeyWatch
from tenbin.gateway.limits import Slots
from tenbin.gateway.pacers import KIND as PACING
from tenbin.gateway.pacers import Pacers
from tenbin.gateway.pauses import PAUSES, Pauses
from tenbin.gateway.planner import Planner
from tenbin.gateway.retained import KIND as RETENTION
from tenbin.gateway.retained import Retained
from tenbin.gateway.retreats import Marked, Retreats
from tenbin.gateway.seat import Seat
from tenbin.gateway.session import REMEMBERED_S, Session, Sessions
from tenbin.gateway.shared_limits import Limits
from tenbin.gateway.snapshot import Snapshot
from tenbin.gateway.spans import attributes_of, error_of
from tenbin.gateway.stranger_budgets import KIND as STRANGERS
from tenbin.gateway.stranger_budgets import StrangerBudgets
from tenbin.store.budgets import Budgets
from tenbin.store.keyring import KeyRing
from tenbin.store.ledger import Ledger
from tenbin.store.marks import Marks
from tenbin.store.period import DAY_S
from tenbin.store.place import Place
from tenbin.store.reader import GivenResponse, Reader
from tenbin.store.records import Status
from tenbin.store.turns import Turns
from tenbin.telemetry.metrics import NONE, Metrics
from tenbin.telemetry.readings import Readings
from tenbin.telemetry.tracing import open_traces
from tenbin.types import Usage
from tenbin.upstream.client import UpstreamClient
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.manners import Learnt

if TYPE_CHECKING:
    from tenbin.gateway.call import Call, Work
    from tenbin.gateway.plan import Attempt, Plan
    from tenbin.gateway.relay import Relay

MAX_REMEMBERED = 10_000
T = TypeVar("T")
SPEND_S = 5.0
RETREATS_S = 2.0
CLIENT_LEFT = 499
EXPIRY_S = 3600.0
BLAMELESS = frozenset({"refused", "context", "capability"})
"""Failures that are the request's: they say nothing of the profile's availability."""


class Remembered(Generic[T]):
    """What is known of the latest `limit` names."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._known: dict[str, T] = {}

    def put(self, name: str, known: T) -> None:
        """Remember it; the oldest is forgotten where there are too many."""
        self._known[name] = known
        if len(self._known) > self.limit:
            del self._known[next(iter(self._known))]

    def get(self, name: str) -> T | None:
        """What is known of it, None where it is not remembered."""
        return self._known.get(name)


class Services:
    """The parts, made by `of`, opened on the event loop that serves."""

    def __init__(self, snapshot: Snapshot, environ: Mapping[str, str], *, worker: int, workers: int) -> None:
        folder = snapshot.store.path
        self.ledger = Ledger(folder, f"worker-{worker}")
        self.reader = Reader(folder)
        self.ring = KeyRing(folder)
        self.budgets = Budgets(folder, self.ledger.writer, workers)
        self.limits = Limits(folder, is_shared=workers > 1)
        self.callers = Callers(self.ring, self.limits, is_open=snapshot.settings.keys == "open")
        self.client = UpstreamClient(environ)
        self.traces = open_traces(environ)
        self.breakers = Breakers()
        self.learnt = Learnt()
        self.decider = Decider()
        self.sessions = Sessions()
        self.place = Place(folder, worker)
        self.strangers = StrangerBudgets(Marks(folder, STRANGERS), self.place, workers)
        self.metrics = Metrics(self.readings)
        self.keys = KeyWatch(self.metrics)
        self.turn_reader = Reader(folder)  # of its own: sums over a day hold up the other one
        turns = Turns(self.turn_reader, self.ledger.writer, REMEMBERED_S)
        elsewhere = Elsewhere(turns, self.sessions, self.place, is_shared=workers > 1)
        self.planner = Planner(self.decider, self.sessions, elsewhere, self.strangers, self.keys)
        self.retreats = Retreats(folder, self.place, workers)
        self.pauses = Pauses(Marks(folder, PAUSES), self.place)
        self.pacers = Pacers(Marks(folder, PACING), self.place)
        self.retained = Retained(Marks(folder, RETENTION))
        self.expiry = Expiry(folder, self.retained)  # a reload may name another folder, which holds from a restart on
        self.responses: Remembered[GivenResponse] = Remembered(MAX_REMEMBERED)
        self.threads: Remembered[GivenResponse] = Remembered(MAX_REMEMBERED)
        self.rated: Remembered[bool] = Remembered(MAX_REMEMBERED)
        self.in_flight = 0
        self.loop: asyncio.AbstractEventLoop
        self.worker = worker
        self.log = logging.getLogger("tenbin.gateway")
        self._slots: dict[str, Slots] = {}
        self._snapshot = snapshot
        self._tasks: set[asyncio.Task[None]] = set()
        self.taken_over(snapshot)

    async def open(self) -> None:
        """Start what needs a loop; StoreError where the store's folder cannot be used."""
        self.loop = asyncio.get_running_loop()
        self.ledger.start()
        with contextlib.suppress(StoreError):  # `follow` says so, and tries again
            await asyncio.to_thread(self.ring.refresh)
        await self.client.open()
        self._start(self.ring.follow())
        self._start(self.budgets.tend())
        with contextlib.suppress(StoreError):  # alone it does without
            await asyncio.to_thread(self.place.take)
        with contextlib.suppress(StoreError):  # the next look says so
            self._adopt(await asyncio.to_thread(self.retreats.marked))
            self.pacers.adopt(await asyncio.to_thread(self.pacers.share))
            self.strangers.adopt(await asyncio.to_thread(self.strangers.share, is_first=True), is_first=True)
        self.every(SPEND_S, self._read_spend)
        self.every(RETREATS_S, self._share_resumes)
        self.every(RETREATS_S, self._share_spend)
        if self.worker == 0:
            self.every(EXPIRY_S, self._expire)

    async def close(self) -> None:
        """Stop everything; the ledger last, with all its rows written."""
        self.expiry.stop()
        for task in self._tasks:
            task.cancel()
        self.decider.close()
        await self.client.close()
        with contextlib.suppress(StoreError):  # what the last seconds have spent and seen counts after a restart
            await asyncio.to_thread(self.retreats.marked)
            await asyncio.to_thread(self.pacers.share)
            await asyncio.to_thread(self.strangers.share)
        self.place.leave()
        self.budgets.close()  # before the ledger, which frees their leases
        for reader in (self.reader, self.turn_reader):  # who closes last brings the log in, which a reader may not
            reader.close()
        await self.ledger.close()
        await asyncio.to_thread(self.traces.close)
        self.limits.close()

    def taken_over(self, snapshot: Snapshot) -> None:
        """New requests are served with this snapshot."""
        before, self._snapshot = self._snapshot, snapshot
        self.callers.is_open = snapshot.settings.keys == "open"
        self.retreats.watch(snapshot.profiles)
        for name, served in snapshot.profiles.items():
            self.metrics.serves(name)
            old = before.profiles.get(name, served)
            if old.versions["artifact"] != served.versions["artifact"]:
                self.keys.release(name)  # what was new or dear to another router says nothing of this one
            if served.alone is not None:
                self.log.error("profile %s serves its reference alone, uncertified: %s", name, served.alone)
        self.pacers.watch(snapshot.profiles)
        self.strangers.watch(snapshot.profiles)
        for name, slots in self._slots.items():
            if (destination := snapshot.destinations.get(name)) is not None:
                slots.limit = destination.max_concurrency

    def seat(self, destination: Destination) -> Seat | None:
        """A seat for one call to this candidate; None where its breaker is open or all its calls are running."""
        name = destination.candidate.name
        if not self.breakers.admits(name):
            return None
        slots = self._slots.get(name)
        if slots is None:
            slots = self._slots[name] = self.limits.slots(f"candidate {name}", destination.max_concurrency)
        return Seat(self.breakers, name, self.breakers.start(name), slots) if slots.take() else None

    def has_seat(self, destination: Destination) -> bool:
        """Whether there would be a seat now."""
        name = destination.candidate.name
        slots = self._slots.get(name)
        return self.breakers.admits(name) and (slots is None or not slots.is_full)

    def planned(self, plan: Plan, key_id: str | None, seconds: float) -> None:
        """A request of a key has its plan: count it."""
        if plan.is_watched and plan.profile is not None and plan.weighed is not None and plan.trade_off is not None:
            self.keys.decided(plan.profile, key_id, plan.trade_off.mu, plan.weighed)
        if plan.profile_name is not None:
            name = plan.attempts[0].destination.candidate.name
            is_late = plan.code == "late"
            self.metrics.decided(
                profile=plan.profile_name, candidate=name, reason=plan.code, seconds=seconds, late=is_late
            )
            if (sent_to := plan.sent_to) is not None:
                self.metrics.met_stranger(profile=plan.profile_name, sent_to=sent_to)

    def gave(self, work: Work, attempt: Attempt, response_id: str) -> None:
        """A response of this name was given, whole or not: only who gave it can say whether it goes on."""
        is_response = work.incoming.endpoint == "responses"
        if is_response or "thread" in work.incoming.members:
            given = GivenResponse(attempt.destination.candidate.name, work.caller.key_id)
            (self.responses if is_response else self.threads).put(response_id, given)

    def remember(self, work: Work, attempt: Attempt, usage: Usage | None) -> None:
        """A turn was answered so: the next one of the conversation finds it."""
        candidate = attempt.destination.candidate.name
        if work.plan.prints is not None:
            tokens = 0 if usage is None else usage.input_tokens
            length = len(work.incoming.messages)
            session = Session(candidate, tokens, time.monotonic(), attempt.strips_before, length)
            self.sessions.remember(work.plan.prints, session)

    def settled(
        self,
        work: Work,
        call: Call,
        status: Status,
        usage: Usage | None,
        cost_usd: float | None,
    ) -> None:
        """A call has ended: count it."""
        profile = work.plan.profile_name or NONE
        trade_off = work.plan.trade_off
        # An answer without usage counts as the ledger counts it; as free it would pay for dear ones.
        booked_usd = call.reserve_usd or 0.0 if cost_usd is None else cost_usd
        self.pacers.paid(
            profile,
            call,
            cost_usd=booked_usd,
            mu=trade_off.mu if trade_off is not None and status == "ok" and cost_usd is not None else None,
            is_request=status != "failed",
        )
        if (taken := work.plan.stranger_usd) is not None and cost_usd is not None:
            # Nobody gets back more than was taken: cheap failures would make room for dear strangers.
            over = max(cost_usd - (work.plan.baseline_usd or 0.0), -taken) if call.no == 0 else cost_usd
            self.strangers.correct(profile, work.caller.key_id, over)
        if status == "failed":
            self.metrics.fell_back(profile=profile, candidate=call.name, failure=call.failure or "not_sent")
        # An answer that broke off is paid for up to there; a call that was refused is no answer of unknown cost.
        if status != "failed" or usage is not None or cost_usd:
            self.metrics.billed(
                profile=profile,
                candidate=call.name,
                usage=usage,
                booked_usd=booked_usd,
                is_known=cost_usd is not None,
                baseline_usd=call.baseline_usd,
            )
        if status == "ok" and work.plan.profile is not None:
            self.retreats.finished(profile, answered=True)
            self.metrics.compared(
                profile=profile,
                candidate=call.name,
                expected_output_tokens=call.attempt.output_tokens,
                output_tokens=None if usage is None else usage.output_tokens,
                expected_cost_usd=call.attempt.cost_usd,
                cost_usd=cost_usd,
            )

    def ended(self, relay: Relay) -> None:
        """A request is over, however it ended; one that was refused before any call is counted as a refusal instead."""
        exchange, work, call = relay.exchange, relay.work, relay.call
        if work.plan.stranger_usd is not None and not relay.calls and (call is None or not call.is_settled):
            self.strangers.correct(work.plan.profile_name or NONE, work.caller.key_id, -work.plan.stranger_usd)
        seconds = time.perf_counter() - work.arrived
        if self.traces.records:
            self._trace(relay, seconds)
        if not (relay.status or exchange.is_gone):
            return
        self.metrics.answered(
            endpoint=work.incoming.endpoint,
            profile=work.plan.profile_name or NONE,
            candidate=NONE if call is None else call.name,
            status=CLIENT_LEFT if exchange.is_gone else relay.status,
            seconds=seconds,
            first_token_s=relay.first_token_s,
            own_s=max(seconds - relay.upstream_s, 0.0),
        )

    def _trace(self, relay: Relay, seconds: float) -> None:
        call = relay.call
        relay.span.end(
            attributes_of(relay),
            seconds=seconds,
            first_token_s=relay.first_token_s,
            usage=None if call is None else call.usage,
            error=error_of(relay),
        )

    def gave_up(self, work: Work, failure: UpstreamFailure | None) -> None:
        """No candidate answered a request, or none to its end; None: nobody could even be asked."""
        if (failure is None or failure.kind not in BLAMELESS) and work.plan.profile_name is not None:
            self.retreats.finished(work.plan.profile_name, answered=False)

    def readings(self) -> Readings:
        """The levels of this moment."""
        return Readings(
            in_flight=self.in_flight,
            queued_rows=self.ledger.queue_depth,
            spooled_rows=self.ledger.spooled_rows,
            lost_rows=self.ledger.lost_rows,
            breakers=self.breakers.states(),
            retreated={name: retreat is not None for name, retreat in self.retreats.states().items()},
            certified={name: p.alone is None for name, p in self._snapshot.profiles.items() if p.proof is not None},
            flagged_keys=self.keys.counts(self._snapshot.profiles),
            paced_mu={name: pace.mu for name, pace in self.pacers.states().items()},
        )

    def state(self) -> dict[str, Any]:
        """What the admin port shows of the parts; no secrets."""
        return {
            "worker": self.worker,
            "in_flight": self.in_flight,
            "queue_depth": self.decider.queue_depth,
            "ledger": {
                "queued_rows": self.ledger.queue_depth,
                "spooled_rows": self.ledger.spooled_rows,
                "lost_rows": self.ledger.lost_rows,
                "is_degraded": self.ledger.is_degraded,
            },
            "breakers": dict(self.breakers.states()),
            "retreats": {n: None if r is None else asdict(r) for n, r in self.retreats.states().items()},
            "flagged_keys": self.keys.states(self._snapshot.profiles),
            "pacing": {n: asdict(pace) for n, pace in self.pacers.states().items()},
            "keys": len(self.ring),
            "conversations": len(self.sessions),
        }

    def on_loop(self, step: Callable[[], None]) -> None:
        """Do a step where all these parts are at home, between two turns of requests; another thread waits for it."""

        async def do() -> None:
            step()

        asyncio.run_coroutine_threadsafe(do(), self.loop).result()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def every(self, seconds: float, step: Callable[[], None]) -> None:
        """Do a blocking step in a thread, now and then until the end; what fails is tried again the next time."""
        self._start(self._repeat(seconds, step))

    async def _repeat(self, seconds: float, step: Callable[[], None]) -> None:
        while True:
            try:
                await asyncio.to_thread(step)
            except TenbinError as error:
                self.log.warning("%s", error)
            except Exception:  # a bug must not end for good what keeps promises: retention, spending, prices
                self.log.exception("a recurring task failed")
            await asyncio.sleep(seconds)

    def _read_spend(self) -> None:
        now = time.time()  # not that of the day that may begin meanwhile
        for profile in self.retreats.promises_spend():
            spent = self.reader.spent_in(profile, now // DAY_S * DAY_S)
            self.loop.call_soon_threadsafe(self.retreats.spent_today, profile, spent, now)

    def _share_resumes(self) -> None:
        self.loop.call_soon_threadsafe(self._adopt, self.retreats.marked())
        self.loop.call_soon_threadsafe(self.breakers.told, self.pauses.share(self.breakers.asked_until()))

    def _adopt(self, marked: Marked) -> None:
        self.retreats.adopt(marked)
        self.keys.adopt(marked.resumed)

    def _share_spend(self) -> None:
        self.loop.call_soon_threadsafe(self.pacers.adopt, self.pacers.share())
        self.loop.call_soon_threadsafe(self.strangers.adopt, self.strangers.share())

    def _expire(self) -> None:
        self.expiry.look(self._snapshot.profiles, self._snapshot.store.keep_days)
