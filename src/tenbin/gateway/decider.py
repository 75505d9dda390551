"""Decisions for the event loop: requests that wait at the same moment are weighed together, and nobody waits for long.

Short conversations of a quick router are weighed on the loop itself, a few at a time; long ones, and routers whose
embedder is slow, in one thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tenbin.errors import DecisionError
from tenbin.router.router import Router
from tenbin.router.weighing import Ask, Weighed, weigh
from tenbin.types import Query

QUICK_EMBEDDERS = frozenset({"base", "wordllama"})
INLINE_CHARACTERS = 8_000
"""Longer conversations are weighed in the thread."""
SLICE_ASKS = 4
SLICE_CHARACTERS = 12_000
"""What is weighed on the loop at once: about a millisecond of work."""
THREAD_ASKS = 16
MAX_WAITING = 1_024

Answer = Weighed | Exception


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A request that waits: `late_at` is when its deadline ends, on the clock of `time.monotonic`."""

    router: Router
    ask: Ask
    characters: int
    late_at: float
    future: asyncio.Future[Weighed]


class Decider:
    """Weighs the asks of one event loop; made and used on that loop, closed with `close`.

    `max_waiting` bounds the asks that wait; beyond it the newest is refused.
    """

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self.max_waiting = max_waiting
        self._inline: list[_Waiting] = []
        self._threaded: list[_Waiting] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tenbin-decider")
        self._is_thread_busy = False
        self._is_drain_due = False

    @property
    def queue_depth(self) -> int:
        """How many asks wait to be weighed, those that are being weighed not counted."""
        return len(self._inline) + len(self._threaded)

    async def decide(self, router: Router, ask: Ask, deadline_s: float) -> Weighed:
        """The ranking for one request.

        Raises TimeoutError after `deadline_s`, DecisionError where nobody may answer or too many wait, and whatever
        deciding itself raises: the caller then takes its safe default.
        """
        if self.queue_depth >= self.max_waiting:
            raise DecisionError("too many requests wait for a decision", fix="add workers, or send fewer at once")
        loop = asyncio.get_running_loop()
        characters = _characters(ask.query)
        future: asyncio.Future[Weighed] = loop.create_future()
        waiting = _Waiting(router, ask, characters, time.monotonic() + deadline_s, future)
        if router.manifest.embedder in QUICK_EMBEDDERS and characters <= INLINE_CHARACTERS:
            self._inline.append(waiting)
            if not self._is_drain_due:
                self._is_drain_due = True
                loop.call_soon(self._drain, loop)
            return await future
        self._threaded.append(waiting)
        self._feed_thread(loop)
        alarm = loop.call_later(deadline_s, _give, future, TimeoutError())
        try:
            return await future
        finally:
            alarm.cancel()

    def close(self) -> None:
        """Let the thread go; asks that still wait get a DecisionError."""
        for waiting in (*self._inline, *self._threaded):
            _give(waiting.future, DecisionError("the gateway is closing"))
        self._inline, self._threaded = [], []
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Weigh one slice on the loop, then let other work have its turn."""
        part, self._inline = _slice(self._inline, SLICE_ASKS, SLICE_CHARACTERS)
        for waiting, answer in zip(part, _weigh(part), strict=True):
            _give(waiting.future, answer)
        self._is_drain_due = bool(self._inline)
        if self._is_drain_due:
            loop.call_soon(self._drain, loop)

    def _feed_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the thread what waits for it, if it is idle."""
        if self._is_thread_busy or not self._threaded:
            return
        part, self._threaded = _slice(self._threaded, THREAD_ASKS, SLICE_CHARACTERS)
        if not part:
            return
        self._is_thread_busy = True
        done = loop.run_in_executor(self._thread, _weigh, part)
        done.add_done_callback(lambda future: self._take_from_thread(loop, part, future))

    def _take_from_thread(
        self, loop: asyncio.AbstractEventLoop, part: Sequence[_Waiting], done: asyncio.Future[list[Answer]]
    ) -> None:
        self._is_thread_busy = False
        if not done.cancelled():
            for waiting, answer in zip(part, done.result(), strict=True):
                _give(waiting.future, answer)
            self._feed_thread(loop)


def _slice(waiting: list[_Waiting], most_asks: int, most_characters: int) -> tuple[list[_Waiting], list[_Waiting]]:
    """What is weighed next, of one router and bounded (at least one ask), and what still waits; late ones are told."""
    now = time.monotonic()
    part: list[_Waiting] = []
    rest: list[_Waiting] = []
    characters = 0
    for one in waiting:
        if one.late_at <= now:
            _give(one.future, TimeoutError())
        if one.future.done():
            continue
        characters += one.characters
        fits = not part or (
            not rest and len(part) < most_asks and characters <= most_characters and one.router is part[0].router
        )
        (part if fits else rest).append(one)
    return part, rest


def _weigh(part: Sequence[_Waiting]) -> list[Answer]:
    """The answers of one router; where the batch fails as a whole, each ask has its own try."""
    try:
        return [*weigh(part[0].router, [one.ask for one in part])] if part else []
    except Exception as error:
        if len(part) == 1:
            return [error]
        return [answer for one in part for answer in _weigh([one])]


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
    total = 0
    for message in query.messages:
        content = message.get("content")
        if isinstance(content, str):
            total += len(content)
        elif isinstance(content, list):
            total += sum(len(part.get("text") or "") for part in content if isinstance(part, dict))
    return total


__all__ = ["Decider"]
