"""Decisions for the event loop: requests that ask at about the same moment are weighed together, nobody waits for long.

Short conversations of a quick router are weighed on the loop, up to sixteen in one batch; long conversations, and
routers whose embedder is slow or whose predictor is somebody else's, in one thread. Where that thread hangs, another
takes its place.

A batch of sixteen costs a request half of what it would cost alone, so under load the first waits a moment for others.
A thread for the crowd was tried: it fights the loop for the interpreter lock, so that with 64 requests at once half of
all decisions came too late (now 0 to 7 %), and with 16 each cost 1.15 ms of processor time instead of .98 (both of a
gateway as a whole, measured in turns on a busy machine).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tenbin.errors import DecisionError, NetworkError
from tenbin.features.routing_text import said_in
from tenbin.gateway.side_thread import SideThread
from tenbin.router.router import Router
from tenbin.router.weighing import Ask, Weighed, weigh
from tenbin.types import Query

QUICK_EMBEDDERS = frozenset({"base", "wordllama"})
QUICK_PREDICTORS = frozenset({"constant", "group", "knn", "ridge", "stack"})
"""Ours; nobody knows how long another's takes, and on the loop all streams would wait for it."""
LONG_CHARACTERS = 8_000
"""From this length on a conversation is weighed in the thread."""
SLICE_ASKS = 16
SLICE_CHARACTERS = 16_000
"""So much is weighed on the loop at once, three to five milliseconds of work; then other work has its turn."""
GATHER_S = 0.008
"""While each turn of the loop brings more asks, or has other work to do, the first one waits so long for them: those
that come after it make a batch of their own, which costs a millisecond of processor time more."""
GATHER_SHARE = 0.25
"""... but no longer than this share of its deadline."""
BUSY_S = 0.0001
"""A turn that takes so long had other work: requests that are being relayed, whose clients soon ask anew."""
THREAD_ASKS = 16
THREAD_CHARACTERS = 200_000
STUCK_S = 2.0
MOST_LEFT = 8
"""Threads left behind at a time; with so many at work nothing but the end of one helps."""
MAX_WAITING = 1_024
MOST_DEPTH = 4

Answer = Weighed | Exception


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    """A request that waits for its answer."""

    router: Router
    ask: Ask
    characters: int
    future: asyncio.Future[Weighed]


class Decider:
    """Weighs the asks of one event loop; made and used on that loop, closed with `close`.

    `max_waiting` bounds the asks that wait; beyond it the newest is refused. So long as `stuck_s` after it began, a
    batch for which nobody waits any more is left behind, thread and all.
    """

    def __init__(self, max_waiting: int = MAX_WAITING, stuck_s: float = STUCK_S) -> None:
        self.max_waiting = max_waiting
        self.stuck_s = stuck_s
        self._quick: list[_Waiting] = []
        self._slow: list[_Waiting] = []
        self._thread = SideThread("tenbin-decider")
        self._in_thread: list[_Waiting] | None = None
        self._began_at = 0.0
        self._left_behind = 0
        self._log = logging.getLogger("tenbin.gateway.decider")
        self._is_turn_due = self._was_alone = False
        self._seen = 0
        self._turned_at = self._gather_until = 0.0

    @property
    def queue_depth(self) -> int:
        """How many asks wait to be weighed, those that are being weighed not counted."""
        return len(self._quick) + len(self._slow)

    async def decide(self, router: Router, ask: Ask, deadline_s: float, *, is_alone: bool = False) -> Weighed:
        """The ranking for one request; at once where it `is_alone` in the gateway, as the one before was.

        The first of many that come again and again must not be weighed by itself.

        Raises TimeoutError after `deadline_s` and where too many wait, DecisionError where nobody may answer, and
        whatever deciding itself raises: the caller then takes its safe default.
        """
        if self.queue_depth >= self.max_waiting:
            raise TimeoutError("too many requests wait for a decision")
        characters = _characters(ask.query)
        is_quick = _is_quick(router) and characters < LONG_CHARACTERS
        if is_alone and is_quick and self._was_alone:
            answer = weigh(router, [ask])[0]
            if isinstance(answer, DecisionError):
                raise answer
            return answer
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Weighed] = loop.create_future()
        (self._quick if is_quick else self._slow).append(_Waiting(router, ask, characters, future))
        self._call_turn(loop, min(GATHER_S, GATHER_SHARE * deadline_s))
        alarm = loop.call_later(deadline_s, _give, future, TimeoutError())
        try:
            return await future
        finally:
            alarm.cancel()

    def close(self) -> None:
        """Let the thread go; asks that still wait get a DecisionError."""
        for waiting in (*self._quick, *self._slow):
            _give(waiting.future, DecisionError("the gateway is closing"))
        self._quick, self._slow = [], []
        self._thread.close()

    def _call_turn(self, loop: asyncio.AbstractEventLoop, gather_s: float = GATHER_S) -> None:
        """Once all that is ready now has run, and has perhaps asked, too, take a turn."""
        if not self._is_turn_due:
            self._is_turn_due = True
            self._seen = 0
            self._turned_at = time.perf_counter()
            self._gather_until = self._turned_at + gather_s
            loop.call_soon(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Weigh a slice of what is quick, and keep the thread at work with the rest."""
        waiting, now = len(self._quick), time.perf_counter()
        is_busy = self._seen < waiting or now - self._turned_at > BUSY_S
        if is_busy and 0 < waiting < SLICE_ASKS and now < self._gather_until:
            self._seen, self._turned_at = waiting, now
            loop.call_soon(self._turn, loop)
            return
        self._is_turn_due = False
        self._quick = [one for one in self._quick if not one.future.done()]
        if self._quick:
            part, self._quick = _slice(self._quick, SLICE_ASKS, SLICE_CHARACTERS)
            self._was_alone = len(part) == 1
            _answer(part, _weigh(part))
        self._slow = [one for one in self._slow if not one.future.done()]
        if self._slow and self._is_free(now):
            self._slow = self._to_thread(loop, self._slow, now)
        if self._quick:
            self._call_turn(loop)

    def _is_free(self, now: float) -> bool:
        """Whether the thread has nothing to do; one that hangs is left behind for another."""
        if self._in_thread is None:
            return True
        hangs = now - self._began_at > self.stuck_s and all(one.future.done() for one in self._in_thread)
        if not hangs or self._left_behind >= MOST_LEFT:
            return False
        self._left_behind += 1
        manifest = self._in_thread[0].router.manifest
        self._log.warning(
            "the embedder %s or the predictor %s hangs: its thread is left behind, %s of at most %s",
            *(manifest.embedder, manifest.predictor, self._left_behind, MOST_LEFT),
        )
        self._thread.close()
        self._thread = SideThread("tenbin-decider")
        return True

    def _to_thread(self, loop: asyncio.AbstractEventLoop, waiting: list[_Waiting], now: float) -> list[_Waiting]:
        """Give the thread a slice; what is left over still waits."""
        part, rest = _slice(waiting, THREAD_ASKS, THREAD_CHARACTERS)

        def work() -> None:
            answers = _weigh(part)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._back, loop, part, answers)

        try:
            self._thread.do(work)
        except RuntimeError as error:  # the system gives no thread: the safe default answers these
            _answer(part, [error] * len(part))
        else:
            self._in_thread, self._began_at = part, now
        return rest

    def _back(self, loop: asyncio.AbstractEventLoop, part: list[_Waiting], answers: Sequence[Answer]) -> None:
        if part is self._in_thread:
            self._in_thread = None
        else:
            self._left_behind -= 1
        _answer(part, answers)
        self._call_turn(loop)


def _is_quick(router: Router) -> bool:
    """Whether nothing but our own arithmetic decides."""
    manifest = router.manifest
    return manifest.embedder in QUICK_EMBEDDERS and manifest.predictor in QUICK_PREDICTORS


def _slice(waiting: list[_Waiting], most_asks: int, most_characters: int) -> tuple[list[_Waiting], list[_Waiting]]:
    """What is weighed next, of the first one's router and bounded (at least one ask), and what still waits."""
    part: list[_Waiting] = []
    rest: list[_Waiting] = []
    characters = 0
    for one in waiting:
        characters += one.characters
        is_bounded = len(part) < most_asks and characters <= most_characters
        fits = not part or (is_bounded and one.router is part[0].router)
        (part if fits else rest).append(one)
    return part, rest


def _weigh(part: Sequence[_Waiting]) -> list[Answer]:
    """The answers of one router; where the batch fails as a whole, each ask has its own try while somebody waits.

    What failed on its way to another machine fails alike for each, and needs no more requests.
    """
    try:
        return [*weigh(part[0].router, [one.ask for one in part])] if part else []
    except Exception as error:
        if len(part) == 1 or isinstance(error, NetworkError):
            return [error] * len(part)
        return [answer for one in part for answer in ([error] if one.future.done() else _weigh([one]))]


def _answer(part: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    for waiting, answer in zip(part, answers, strict=True):
        _give(waiting.future, answer)


def _give(future: asyncio.Future[Weighed], answer: Answer) -> None:
    """Tell who waits, unless it has been told or has gone away."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _characters(query: Query) -> int:
    """About how long the conversation is."""
    if query.messages is None:
        return len(query.prompt)
    return sum(_length(message.get("content")) for message in query.messages)


def _length(content: Any, depth: int = 0) -> int:
    """The texts of a content and its parts, tools' results and documents that are texts among them."""
    if isinstance(content, str):
        return len(content)
    if not isinstance(content, list) or depth > MOST_DEPTH:
        return 0
    total = 0
    for part in content:
        if isinstance(part, dict):
            text = part.get("text")
            total += len(text) if isinstance(text, str) else _length(part.get("content") or said_in(part), depth + 1)
    return total


__all__ = ["Decider"]
