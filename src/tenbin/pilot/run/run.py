"""A run: the pairs of the plan bought in their order, as many at once as may be, graded as they come."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tenbin.errors import RequestError
from tenbin.pilot.down import down_candidates
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.records import Bought, Failed, Graded
from tenbin.pilot.run.bell import Bell
from tenbin.pilot.run.buy import Buyer, Order, failed
from tenbin.pilot.run.due import due, rounds_of
from tenbin.pilot.run.gate import FIRST_PAUSE_S
from tenbin.pilot.run.grading import Grading, likely_grading_usd
from tenbin.pilot.run.lane import PLACES, Lane, lanes_of
from tenbin.pilot.run.prepared import Prepared
from tenbin.pilot.run.purse import Purse, Reserve
from tenbin.pilot.run.report import Ended, RunReport
from tenbin.pilot.run.said import Said, say
from tenbin.pilot.standing import Standing
from tenbin.quality.grader import Grader
from tenbin.upstream.client import UpstreamClient

DEADLINE_S = 300.0
GRACE_S = 10.0
"""What calls under way may still take when the run is told to stop."""
BACKLOG = 2
"""Gradings under way, as a multiple of the calls at once, above which nobody is asked: answers wait in the memory."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run: calls at once, the seconds of one call, whether to grade bought answers anew, the first pause.

    `concurrency` None: as many as the candidates allow, each by itself.
    """

    concurrency: int | None = None
    deadline_s: float = DEADLINE_S
    regrade: bool = False
    first_pause_s: float = FIRST_PAUSE_S


@dataclass(frozen=True, slots=True)
class Money:
    """What is set aside for one pair: for the answer, and for grading it."""

    answer: Reserve
    grading: Reserve


class Run:
    """One run of a pilot: `await run()`, once; `report()` may be asked at any time, `stop()` from the same loop.

    The journal is open; so is the client, made with `resends=False` so that no call is billed twice. Raises UsageError
    where bought answers stand graded by another metric and the options do not ask to grade them anew.
    """

    def __init__(
        self, prepared: Prepared, journal: Journal, client: UpstreamClient, grader: Grader, options: RunOptions
    ) -> None:
        self.prepared = prepared
        self.options = options
        self.standing = Standing.of(read_journal(prepared.folder))
        self._planned = {pair.key for pair in prepared.pairs}
        owed = due(self.standing, self._planned, grader.name, regrade=options.regrade)
        self._due = {key: rounds for key, rounds in owed.items() if key[0] in prepared.prompts}
        self.purse = Purse(prepared.budget_usd, self.standing.spent_usd)
        self._spent_before_usd = self.purse.spent_usd
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._bell = Bell()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fatal: BaseException | None = None
        self._in_flight = self._in_grading = self._stops = 0
        self._ended: Ended = "running"
        name, numbers = secrets.token_hex(4), itertools.count(1)
        self._call_id: Callable[[], str] = lambda: f"{name}-{next(numbers)}"
        self._buyer = Buyer(journal, client, options.deadline_s, prepared.prices.version)
        down = down_candidates(read_journal(prepared.folder))
        self._lanes = lanes_of(prepared, self.standing, options.concurrency, options.first_pause_s, down)
        self._places = options.concurrency or sum(lane.gate.most for lane in self._lanes.values()) or PLACES
        self._journal = journal
        self._grading = Grading(
            journal,
            grader,
            self.purse,
            prepared.prompts,
            prepared.settings.reference,
            rung=self._bell,
            call_id=self._call_id,
            told=self._told,
            concurrency=self._places,
        )

    async def run(self) -> RunReport:
        """Buy and grade until nothing is left that may be. Raises StoreError where the journal cannot be written."""
        try:
            await self._grade_the_bought()
            if not self.options.regrade:
                await self._buy_all()
            await self._finish()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._journal.drain()
        if self._fatal is not None:
            raise self._fatal
        self._ended = self._why_ended()
        return self.report()

    def stop(self) -> None:
        """Ask nobody any more. What is under way may end within a grace; at a second call of this it is cut off."""
        self._stops += 1
        self._bell.ring()

    def report(self) -> RunReport:
        """How far the run is."""
        return RunReport(
            ended=self._ended,
            metric=self._grading.grader.name,
            budget_usd=self.purse.budget_usd,
            spent_usd=self.purse.spent_usd,
            spent_before_usd=self._spent_before_usd,
            unknown_usd=self.standing.unknown_usd,
            reserved_usd=self.purse.reserved_usd,
            overrun_usd=self.purse.overrun_usd,
            to_grade=self._in_grading + len(self._due),
            unpaid=self._grading.unpaid,
            waiting=sum(len(waiting) for waiting in self._grading.waiting.values()),
            elapsed_s=self._loop.time() - self._began,
            candidates=tuple(lane.report() for lane in self._lanes.values()),
        )

    async def _grade_the_bought(self) -> None:
        """Grade the answers that an earlier run bought and did not grade; their texts are read as they are needed."""
        needs_rival, reference = self._grading.grader.needs_rival, self.prepared.settings.reference
        if needs_rival:
            for record in read_journal(self.prepared.folder):
                if isinstance(record, Bought) and record.model == reference and record.repeat == 0:
                    self._grading.rivals[record.query_id] = record.answer
        if not self._due:
            return
        for record in read_journal(self.prepared.folder):
            if not isinstance(record, Bought):
                continue
            rounds = self._due.pop((record.query_id, record.model, record.repeat), None)
            if rounds is None:
                continue
            while self._is_behind() and not self._stops and self._fatal is None:
                await self._bell.wait()
            if self._stops or self._fatal is not None:
                return
            self._grade_soon(record, rounds, None)

    async def _buy_all(self) -> None:
        while not self._stops and self._fatal is None:
            free_at = self._start()
            if free_at == math.inf and not self._tasks:
                return
            await self._bell.wait(free_at - self._loop.time())

    def _start(self) -> float:
        """Send out what may go out now; when the next may, infinite where something must end first."""
        while self._in_flight < self._places and not self._is_behind() and not self._grading.short:
            now = self._loop.time()
            free_at = {lane.name: lane.free_at() for lane in self._lanes.values()}
            free = [lane for lane in self._lanes.values() if free_at[lane.name] <= now]
            if not free:
                return min(free_at.values(), default=math.inf)
            if not self._send_out(min(free, key=lambda lane: lane.waiting[0][0]), now):
                break
        return math.inf

    def _send_out(self, lane: Lane, now: float) -> bool:
        """Send out the lane's next pair; False where the money for it must come back first."""
        place, pair = lane.waiting[0]
        try:
            said = say(self.prepared.prompts[pair.query_id], lane.destination)
        except RequestError as error:
            lane.waiting.popleft()
            self._spawn(self._give_up(lane, pair, error))
            return True
        bound_usd = lane.ceiling.usd(said.input_bound_tokens)
        reserve = self.purse.reserve(bound_usd)
        grading_usd = likely_grading_usd(self._grading.grader, self.prepared.prompts[pair.query_id], pair.model)
        mark = None if reserve is None else self.purse.reserve(grading_usd)
        if reserve is None or mark is None:
            if reserve is not None:
                self.purse.settle(reserve, 0.0)
            lane.is_broke = self.purse.reserved_usd == 0.0
            return lane.is_broke
        lane.waiting.popleft()
        likely_tokens = lane.likely_tokens(said)
        lane.gate.begin(now, likely_tokens)
        self._in_flight += 1
        order = Order(pair, lane.destination, said, self._call_id(), bound_usd, lane.has_answered)
        self._spawn(self._buy(lane, place, order, Money(reserve, mark), likely_tokens))
        return True

    async def _buy(self, lane: Lane, place: int, order: Order, money: Money, likely_tokens: float) -> None:
        """Make one call, settle it, and grade what came of it."""
        began = self._loop.time()
        try:
            end, failure = await self._buyer.call(order, lane.ceiling)
        except asyncio.CancelledError:
            self.purse.settle(money.answer, order.reserve_usd)
            self.purse.settle(money.grading, 0.0)
            lane.waiting.appendleft((place, order.pair))
            raise
        finally:
            lane.gate.end()
            self._in_flight -= 1
        # The upstream is free again: the next call need not wait until the disk has this answer.
        if isinstance(end, Bought):
            self._settle(lane, order, money, end, likely_tokens)
            self._bell.ring()
            await self._write_down(end)
            self._grade_soon(end, rounds_of(order.pair.key, self._planned), money.grading)
            return
        self.purse.settle(money.answer, end.cost_usd)
        self.purse.settle(money.grading, 0.0)
        if failure is not None:
            lane.gate.failed(failure, began, self._loop.time(), blames=not end.is_final)
        await self._write_down(end)
        if not end.is_final:
            lane.ask_again(place, order.pair)

    def _settle(self, lane: Lane, order: Order, money: Money, end: Bought, likely_tokens: float) -> None:
        """Count what an answer has cost, in dollars and of the rates."""
        cost_usd = end.cost_usd + end.held_usd
        self.purse.settle(money.answer, cost_usd)
        lane.ceiling.observe(order.said.input_bound_tokens, cost_usd)
        lane.gate.pace.correct(end.usage.input_tokens + end.usage.output_tokens - likely_tokens)
        lane.gate.succeeded()

    async def _give_up(self, lane: Lane, pair: Pair, error: RequestError) -> None:
        """Write down a pair that cannot be said to its candidate at all."""
        order = Order(pair, lane.destination, Said("", b"", 0, ()), self._call_id(), 0.0)
        end = failed(order, "capability", str(error), 0.0, is_final=True)
        await self._write_down(end)

    async def _write_down(self, end: Bought | Failed) -> None:
        """Count an end and commit it: a run that is cut off meanwhile gets it to the disk all the same."""
        self._told(end)
        await self._journal.commit(end)

    def _grade_soon(self, bought: Bought, rounds: tuple[int, ...], mark: Reserve | None) -> None:
        self._in_grading += 1
        self._spawn(self._grade(bought, rounds, mark))

    async def _grade(self, bought: Bought, rounds: tuple[int, ...], mark: Reserve | None) -> None:
        try:
            await self._grading.grade(bought, rounds, mark)
        finally:
            self._in_grading -= 1
        for waiting in self._grading.freed(bought.query_id):
            self._grade_soon(waiting.bought, tuple(waiting.rounds), None)

    def _is_behind(self) -> bool:
        return self._in_grading > BACKLOG * self._places

    def _told(self, record: Bought | Failed | Graded) -> None:
        lane = self._lanes.get(record.model)
        if lane is not None:  # an answer of a candidate that is left out today may still be graded
            lane.tally.take(record)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Of several the first is told; the others have to be asked for, too, or Python prints them with their traces.
        failure = None if task.cancelled() else task.exception()
        self._fatal = self._fatal or failure
        self._bell.ring()

    async def _finish(self) -> None:
        """Wait for what is under way: as long as it takes, or for the grace where the run was told to stop."""
        until = math.inf
        while self._tasks and self._fatal is None:
            if self._stops:
                until = min(until, self._loop.time() + GRACE_S)
            if self._stops > 1 or self._loop.time() >= until:
                return
            await self._bell.wait(until - self._loop.time())

    def _why_ended(self) -> Ended:
        lanes = self._lanes.values()
        if self._stops:
            return "stopped"
        if any(lane.is_broke for lane in lanes) or self._grading.unpaid:
            return "budget"
        return "left" if not self.options.regrade and any(lane.report().left for lane in lanes) else "done"
