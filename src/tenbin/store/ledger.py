"""The ledger as the gateway sees it: rows go in, and are durable or counted as lost; nothing here stops a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from tenbin.errors import StoreError
from tenbin.store.applier import Applier
from tenbin.store.database import NewerStoreError, open_database
from tenbin.store.folder import StoreFolder
from tenbin.store.frames import encoder
from tenbin.store.presence import new_writer, writers
from tenbin.store.records import Record, without_texts
from tenbin.store.schema import LEDGER
from tenbin.store.writer import JournalWriter

QUEUE_BYTES = 64 << 20
LINGER_S = 0.05
"""How long what nobody waits for may wait for a group to go with: a group of its own costs more than all its rows."""
PATIENCE_S = 1.0
"""One to two of these is how long a hanging disk holds up whoever records."""
START_BUSY_S = 0.5


class Ledger:
    """What one worker writes down; every method belongs to the thread of its event loop.

    A row goes to the journal of this worker (durable by a group's sync), from there to SQLite; `writer` is the name
    of this life of the worker. `queue_bytes` caps what waits in memory while even the journal cannot be written.
    """

    def __init__(self, folder: Path, worker: str, *, queue_bytes: int = QUEUE_BYTES) -> None:
        self.store = StoreFolder(Path(folder))
        self.writer = new_writer(worker)
        self._encode = encoder().encode
        self._journal = JournalWriter(self.store, self.writer, queue_bytes, self._on_written)
        self._applier = Applier(self.store, self._journal)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._answers: list[asyncio.Future[bool]] = []
        self._patience: asyncio.TimerHandle | None = None

    @property
    def queue_depth(self) -> int:
        """Rows in memory that are not durable yet."""
        return self._journal.queue_depth

    @property
    def lost_rows(self) -> int:
        """Rows that found no room while the journal could not be written, or fit no table, or were deleted with it."""
        return self._journal.lost_rows + self._applier.rows_lost

    @property
    def spooled_rows(self) -> int:
        """Rows that are durable in the journal and not in SQLite yet."""
        return max(0, self._journal.rows_written - self._applier.rows_applied - self._applier.rows_lost)

    @property
    def is_degraded(self) -> bool:
        """Whether the journal or SQLite refused the last attempt."""
        return self._journal.is_failing or self._applier.is_away

    def is_alone(self) -> bool:
        """Whether no other worker of this store, living or dead, can have rows that are not in SQLite yet.

        Looks at the disk: for any thread but the loop's.
        """
        return all(writer == self.writer for writer in writers(self.store))

    def start(self) -> None:
        """Begin, inside the running event loop.

        A ledger that is locked, full or broken does not hinder: its rows wait in the journal. Errors: StoreError for
        a folder that cannot be written or a ledger of a newer Tenbin, which waiting would not mend.
        """
        self.store.create()
        try:
            open_database(self.store.ledger, LEDGER, busy_s=START_BUSY_S).close()
        except NewerStoreError:
            raise
        except StoreError:
            # The applier's first attempt says in the log what is wrong.
            pass
        self._loop = asyncio.get_running_loop()
        try:
            self._journal.start(self._loop)
        except OSError as error:
            what = f"the journal cannot be written: {error.strerror}"
            raise StoreError(what, where=str(self.store.journals), fix="make the folder writable") from error
        self._applier.start()
        self._applier.notify()

    async def record(self, *rows: Record) -> bool:
        """Write rows down together and wait until they are durable.

        False, at once, where the journal cannot be written: the rows wait in memory, or are counted as lost; and after
        a few seconds where the disk hangs, for a row is worth less than an answer.
        """
        return await self.hand_in(*rows)

    def hand_in(self, *rows: Record) -> asyncio.Future[bool]:
        """The same for who has something to do meanwhile: it is written from `ring` on, or once nothing more comes."""
        loop = self._loop
        if loop is None:
            raise StoreError("the ledger has not been started", where=str(self.store.path))
        answer: asyncio.Future[bool] = loop.create_future()
        if not self._put(rows, answer):
            answer.set_result(False)
            return answer
        self._ring()
        self._answers.append(answer)
        if self._patience is None:
            self._patience = loop.call_later(PATIENCE_S, self._lose_patience, len(self._answers))
        return answer

    def post(self, *rows: Record) -> None:
        """Write rows down without waiting: they are durable with the next group, fifty milliseconds later at most."""
        if self._put(rows, None) and self._linger is None and self._loop is not None:
            self._linger = self._loop.call_later(LINGER_S, self._on_linger)

    async def flush(self) -> bool:
        """Wait until every row handed in is durable and in SQLite; False where one of the two does not take rows."""
        loop = self._loop
        if loop is None:
            return True
        durable: asyncio.Future[bool] = loop.create_future()
        self._journal.wait(durable)
        if not await durable:
            return False
        applied: asyncio.Future[bool] = loop.create_future()
        self._applier.ask(lambda is_done: call_soon(loop, applied, is_done))
        return await applied

    async def close(self) -> None:
        """Write out everything and leave; what SQLite does not take stays in the journal for the next start."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        for timer in (self._linger, self._patience):
            if timer is not None:
                timer.cancel()
        await self._journal.stop()
        await loop.run_in_executor(None, self._applier.stop)

    def _put(self, rows: tuple[Record, ...], answer: asyncio.Future[bool] | None) -> bool:
        try:
            payload = self._encode(rows)
        except (TypeError, ValueError, OverflowError) as error:
            # Text that is no Unicode, a number beyond 64 bits: the row is lost, the request is not.
            self._journal.lost_rows += len(rows)
            logging.getLogger("tenbin.store").error("rows cannot be written down: %s", error)
            return False
        if self._journal.put(payload, len(rows), answer):
            return True
        # What was said is worth less than who asked and what it cost.
        payload = self._encode([without_texts(row) for row in rows])
        if self._journal.put(payload, len(rows), answer):
            return True
        self._journal.lost_rows += len(rows)
        return False

    def _lose_patience(self, asked: int) -> None:
        """Let go of whoever waits since before the last look; one timer for all is cheaper than one each."""
        for answer in self._answers[:asked]:
            if not answer.done():
                answer.set_result(False)
        del self._answers[:asked]
        self._patience = None
        if self._answers and self._loop is not None:
            self._patience = self._loop.call_later(PATIENCE_S, self._lose_patience, len(self._answers))

    def ring(self) -> None:
        """Set the disk to work at once on what was handed in; later rows make another group."""
        self._ring(at_once=True)

    def _ring(self, *, at_once: bool = False) -> None:
        if self._linger is not None:  # what lingers goes along
            self._linger.cancel()
            self._linger = None
        self._journal.ring(at_once=at_once)

    def _on_linger(self) -> None:
        self._linger = None
        self._journal.ring()

    def _on_written(self) -> None:
        self._applier.notify()


def call_soon(loop: asyncio.AbstractEventLoop, answer: asyncio.Future[bool], value: bool) -> None:
    """Give a future of the loop its result from another thread."""

    def give() -> None:
        if not answer.done():
            answer.set_result(value)

    # A loop that has closed has nobody left who waits.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(give)
