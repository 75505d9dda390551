"""What makes records durable: whatever has come in meanwhile goes to the disk in one write and one sync."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tenbin.store.folder import StoreFolder
from tenbin.store.frames import frame
from tenbin.store.pen import Outcome, Pen, open_pen
from tenbin.store.presence import Presence, lock_of
from tenbin.store.segment import Segment, segment_path

GROUP_BYTES = 8 << 20
SEGMENT_BYTES = 16 << 20
RETRY_S = 0.5
GATHER_S = 0.002
"""So long a group may wait while the loop keeps bringing more: a write costs more than many rows."""
# Texts of applied rows stay in a segment until it is removed: no longer than this.
SEGMENT_AGE_S = 60.0


@dataclass(slots=True)
class Waiting:
    """A payload on its way to the disk, and who waits for it; a payload of None only waits for those before it."""

    payload: bytes | None
    rows: int
    answer: asyncio.Future[bool] | None


class JournalWriter:
    """Takes payloads on the event loop's thread and has a pen write them, group after group.

    `segments` are the files not yet removed, oldest first, the last one being written; `written` is called after
    every group. Nothing here raises to the loop: while the journal cannot be written, payloads wait in memory up
    to `queue_bytes`, and their futures answer False.
    """

    def __init__(self, store: StoreFolder, writer: str, queue_bytes: int, written: Callable[[], None]) -> None:
        self.store = store
        self.writer = writer
        self.queue_bytes = queue_bytes
        self.written = written
        self.segments: deque[Segment] = deque()
        self.lost_rows = 0
        self.rows_in = 0
        self.rows_written = 0
        self._bytes_in = 0
        self._bytes_out = 0
        self._number = 0
        self._opened = 0.0
        self._queue: deque[Waiting] = deque()
        self._held: deque[Waiting] = deque()
        self._group: list[Waiting] = []
        self._is_busy = self._is_rung = self._is_turn_due = self._is_turning = self._is_failing = False
        self._seen = 0
        self._gather_until = self._retry_at = 0.0
        self._log = logging.getLogger("tenbin.store")
        self._presence: Presence | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pen: Pen | None = None
        self._idle: asyncio.Future[None] | None = None

    @property
    def queue_depth(self) -> int:
        """Rows in memory that are not durable yet."""
        return self.rows_in - self.rows_written

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._is_failing

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the first segment and begin. Errors: OSError."""
        self._next_segment()
        self._loop, self._pen = loop, open_pen(loop, self._on_written)

    def put(self, payload: bytes, rows: int, answer: asyncio.Future[bool] | None) -> bool:
        """Queue a payload; False where there is no room for it in memory."""
        if self._bytes_in - self._bytes_out + len(payload) > self.queue_bytes:
            return False
        self._bytes_in += len(payload)
        self.rows_in += rows
        self._queue.append(Waiting(payload, rows, answer))
        return True

    def wait(self, answer: asyncio.Future[bool]) -> None:
        """Answer once everything queued before is on the disk, or has failed to get there."""
        self._queue.append(Waiting(None, 0, answer))
        self.ring()

    def ring(self, *, at_once: bool = False) -> None:
        """Write what is queued, after the group that is on its way; `at_once`: though more may come in this moment."""
        self._is_rung = True
        if self._is_busy:
            return
        if at_once or self._loop is None:
            self._go_on()
        elif not self._is_turn_due:
            self._is_turn_due, self._seen = True, self.rows_in
            self._gather_until = time.monotonic() + GATHER_S
            self._loop.call_soon(self._turn, self._loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the group go once a turn of the loop has brought nothing more."""
        if self.rows_in != self._seen and time.monotonic() < self._gather_until:
            self._seen = self.rows_in
            loop.call_soon(self._turn, loop)
            return
        self._is_turn_due = False
        if self._is_rung and not self._is_busy:
            self._go_on()

    async def stop(self) -> None:
        """Write what is queued, and put the pen away; what could not be written by then dies with the process."""
        if self._loop is None or self._pen is None:
            return
        self._retry_at = 0.0
        self._idle = self._loop.create_future()
        self.ring(at_once=True)
        await self._idle
        self._pen.close()
        self._pen = None
        if lost := self.queue_depth:
            self.lost_rows += lost
            self._log.error("the journal could not be written to the end, rows are lost: %d", lost)

    def turn(self) -> None:
        """Begin a new segment if this one is old: said by the thread that has applied all of it."""
        if self.segments[-1].size and time.monotonic() - self._opened > SEGMENT_AGE_S:
            self.turn_now()

    def turn_now(self) -> None:
        """Begin a new segment: this one is not to be written any more. From any thread."""
        self._is_turning = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that has closed writes no more
                self._loop.call_soon_threadsafe(self.ring)

    def _go_on(self) -> None:
        """Have the next group written; nothing where none waits, or the journal failed a moment ago."""
        has_ended = self._idle is not None and self._idle.done()
        if self._pen is None or has_ended:  # a new segment would be nobody's now
            return
        if self._is_failing and time.monotonic() < self._retry_at:
            self._hold()
        else:
            self._fill()
            self._is_rung = bool(self._held or self._queue)  # what is left over makes the next one
            self._is_busy = bool(self._group or self._is_turning)
            try:
                if self._is_busy:
                    self._begin(self._pen)
            except OSError as error:
                self._is_busy = False
                self._fail(error)
        if self._idle is not None and not self._is_busy:
            self._idle.set_result(None)

    def _fill(self) -> None:
        """Gather a group."""
        size = sum(len(waiting.payload or b"") for waiting in self._group)
        while (self._held or self._queue) and size < GROUP_BYTES:
            waiting = (self._held or self._queue).popleft()
            self._group.append(waiting)
            size += len(waiting.payload or b"")

    def _begin(self, pen: Pen) -> None:
        """Set the pen to the group, or a thread to the next segment first."""
        segment = self.segments[-1]
        if self._is_turning or segment.size > SEGMENT_BYTES or segment.is_gone:
            # Folders, names and their syncs: too long for a loop to wait for.
            try:
                threading.Thread(target=self._make_segment, name="tenbin-segment", daemon=True).start()
            except RuntimeError as error:
                raise OSError(errno.EAGAIN, str(error)) from error
            return
        data = b"".join([frame(waiting.payload) for waiting in self._group if waiting.payload is not None])
        if data:
            pen.write(segment.fd, segment.laid_out(data), segment.size)
        else:
            self._finish()

    def _on_written(self, outcome: Outcome) -> None:
        """The pen is done with a group."""
        try:
            self.segments[-1].take(outcome)
        except OSError as error:
            self._is_busy = False
            self._fail(error)
            self._on_idle()
        else:
            self._finish()

    def _finish(self) -> None:
        """Tell whoever waits that a group is on the disk, and close its books."""
        done, self._group = self._group, []
        resolve([waiting.answer for waiting in done if waiting.answer is not None], True)
        rows = sum(waiting.rows for waiting in done)
        self.segments[-1].rows += rows
        self.rows_written += rows
        self._bytes_out += sum(len(waiting.payload or b"") for waiting in done)
        if self._is_failing:
            self._is_failing = False
            self._log.warning("the journal is written again")
        if self._loop is not None:
            self._loop.call_soon(self._after_group)  # behind those who have just been told, who have more to do

    def _after_group(self) -> None:
        self.written()
        self._is_busy = False
        self._on_idle()

    def _on_idle(self) -> None:
        if self._idle is not None:
            self._go_on()
        elif self._is_rung:
            self.ring()

    def _make_segment(self) -> None:
        """In a thread of its own."""
        fault: OSError | None = None
        try:
            self._next_segment()
        except OSError as error:
            fault = error
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that has closed writes no more
                self._loop.call_soon_threadsafe(self._on_made, fault)

    def _on_made(self, fault: OSError | None) -> None:
        """There is a new segment, or why there is none."""
        self._is_busy = False
        if fault is None:
            self._is_turning = False
        else:
            self._fail(fault)
        self._go_on()

    def _fail(self, error: OSError) -> None:
        """Let everybody go who waits; their rows stay, to be tried again."""
        if not self._is_failing:
            self._log.error("the journal cannot be written, rows wait in memory: %s", error)
        self._is_failing = True
        self._retry_at = time.monotonic() + RETRY_S
        self._group = self._let_go(self._group)
        self._hold()
        if self._loop is not None:
            self._loop.call_later(RETRY_S, self.ring)

    def _hold(self) -> None:
        """Put what has come in aside until the next attempt; every row is touched once, however long that lasts."""
        self._held.extend(self._let_go([self._queue.popleft() for _ in range(len(self._queue))]))

    def _let_go(self, group: list[Waiting]) -> list[Waiting]:
        """Tell whoever waits that nothing is durable; what remains is the rows."""
        resolve([waiting.answer for waiting in group if waiting.answer is not None], False)
        return [Waiting(waiting.payload, waiting.rows, None) for waiting in group if waiting.payload is not None]

    def _next_segment(self) -> None:
        # The folder may have been deleted under us.
        self.store.make()
        self._be_present()
        # Counted first: a file that was made and then failed must not be in the way of the next attempt.
        self._number += 1
        segment = Segment(segment_path(self.store, self.writer, self._number))
        self._opened = time.monotonic()
        self.segments.append(segment)
        if len(self.segments) > 1:
            self.segments[-2].seal()

    def _be_present(self) -> None:
        """Hold the lock that says this worker lives, before there is a segment that others might think left behind."""
        if self._presence is not None and os.fstat(self._presence.fd).st_nlink == 0:
            self._presence.leave(settled=False)
            self._presence = None
        if self._presence is None:
            self._presence = Presence.take(lock_of(self.store, self.writer), is_own=True)

    def leave(self, *, settled: bool) -> None:
        """Close the files; `settled`: nothing is left in them to be mended. After `stop`."""
        self.segments[-1].seal()
        self.segments.clear()
        if self._presence is not None:
            self._presence.leave(settled=settled)
            self._presence = None


def resolve(answers: list[asyncio.Future[bool]], is_durable: bool) -> None:
    """Set the results of futures that are still waited for."""
    for answer in answers:
        if not answer.done():
            answer.set_result(is_durable)
