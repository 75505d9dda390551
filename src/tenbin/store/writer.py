"""The thread that makes records durable: whatever has come in meanwhile goes to the disk in one write and one sync."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tenbin.store.folder import StoreFolder
from tenbin.store.frames import frame
from tenbin.store.presence import Presence, lock_of
from tenbin.store.segment import Segment, segment_path

GROUP_BYTES = 8 << 20
SEGMENT_BYTES = 16 << 20
RETRY_S = 0.5
# Texts of applied rows stay in a segment until it is removed: no longer than this.
SEGMENT_AGE_S = 60.0


@dataclass(slots=True)
class Waiting:
    """A payload on its way to the disk, and who waits for it; a payload of None only waits for those before it."""

    payload: bytes | None
    rows: int
    answer: asyncio.Future[bool] | None


class JournalWriter:
    """Takes payloads from the event loop's thread, writes them in its own.

    `segments` are the files not yet removed, oldest first, the last one being written; `written` is called after
    every group. Nothing here raises to the loop: while the journal cannot be written, payloads wait in memory up
    to `queue_bytes`, and their futures answer False.
    """

    _ends: tuple[int, ...] = ()

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
        # A pipe and no queue: who writes to it gives up the interpreter's lock, and so the thread has it as it wakes.
        self._heard, self._bell = self._ends = os.pipe()
        self._is_rung = False
        self._is_failing = False
        self._is_turning = self._is_stopping = False
        self._retry_at = 0.0
        self._log = logging.getLogger("tenbin.store")
        self._thread = threading.Thread(target=self._run, name="tenbin-journal", daemon=True)
        self._presence: Presence | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __del__(self) -> None:
        """Not before: what rings after the end would write to another file."""
        for end in self._ends:
            os.close(end)

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
        self._loop = loop
        self._next_segment()
        self._thread.start()

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

    def ring(self) -> None:
        """Wake the thread."""
        if not self._is_rung:
            self._is_rung = True
            os.write(self._bell, b"!")

    def stop(self) -> None:
        """Write what is queued, end the thread. Blocks; call it off the event loop."""
        self._retry_at = 0.0
        self._is_stopping = True
        os.write(self._bell, b"!")
        self._thread.join()

    def turn(self) -> None:
        """Begin a new segment if this one is old: said by the thread that has applied all of it."""
        if self.segments[-1].size and time.monotonic() - self._opened > SEGMENT_AGE_S:
            self.turn_now()

    def turn_now(self) -> None:
        """Begin a new segment: this one is not to be written any more."""
        self._is_turning = True
        self.ring()

    def _run(self) -> None:
        going, bell = True, select.poll()
        bell.register(self._heard, select.POLLIN)
        while going:
            if not self._is_failing or bell.poll(RETRY_S * 1000.0):
                os.read(self._heard, 16)
            self._is_rung = False
            going = not self._is_stopping  # what was handed in before is written now
            self._write_all()
        # What could not be written by now dies with the process.
        self.lost_rows += self.queue_depth

    def _write_all(self) -> None:
        """Write group after group until nothing waits or the journal fails."""
        while True:
            if self._is_failing and time.monotonic() < self._retry_at:
                self._hold()
                return
            size = sum(len(waiting.payload or b"") for waiting in self._group)
            while (self._held or self._queue) and size < GROUP_BYTES:
                waiting = (self._held or self._queue).popleft()
                self._group.append(waiting)
                size += len(waiting.payload or b"")
            if not self._group and not self._is_turning:
                return
            try:
                self._write_group()
            except OSError as error:
                self._fail(error)
                return
            if self._is_failing:
                self._is_failing = False
                self._log.warning("the journal is written again")

    def _fail(self, error: OSError) -> None:
        """Let everybody go who waits; their rows stay, to be tried again."""
        if not self._is_failing:
            self._log.error("the journal cannot be written, rows wait in memory: %s", error)
        self._is_failing = True
        self._retry_at = time.monotonic() + RETRY_S
        self._group = self._let_go(self._group)
        self._hold()

    def _hold(self) -> None:
        """Put what has come in aside until the next attempt; every row is touched once, however long that lasts."""
        self._held.extend(self._let_go([self._queue.popleft() for _ in range(len(self._queue))]))

    def _let_go(self, group: list[Waiting]) -> list[Waiting]:
        """Tell whoever waits that nothing is durable; what remains is the rows."""
        self._tell(group, False)
        return [Waiting(waiting.payload, waiting.rows, None) for waiting in group if waiting.payload is not None]

    def _write_group(self) -> None:
        segment = self.segments[-1]
        if self._is_turning or segment.size > SEGMENT_BYTES or segment.is_gone:
            self._next_segment()
            self._is_turning = False
            segment = self.segments[-1]
        data = b"".join([frame(waiting.payload) for waiting in self._group if waiting.payload is not None])
        if data:
            segment.append(data)
        done, self._group = self._group, []
        rows = sum(waiting.rows for waiting in done)
        segment.rows += rows
        self.rows_written += rows
        self._bytes_out += sum(len(waiting.payload or b"") for waiting in done)
        self._tell(done, True)
        self.written()

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

    def _tell(self, done: list[Waiting], is_durable: bool) -> None:
        """Answer all who wait, in one go: waking the loop costs more than the answers."""
        answers = [waiting.answer for waiting in done if waiting.answer is not None]
        if answers and self._loop is not None:
            # A loop that has closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(resolve, answers, is_durable)
                os.sched_yield()  # the loop goes on at once, and this thread when the loop waits for an upstream


def resolve(answers: list[asyncio.Future[bool]], is_durable: bool) -> None:
    """Set the results of futures that are still waited for."""
    for answer in answers:
        if not answer.done():
            answer.set_result(is_durable)
