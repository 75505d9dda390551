"""The thread that brings the journal into SQLite, in batches, and waits for SQLite as long as it takes."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable

from tenbin.store.apply import apply_batch
from tenbin.store.database import open_database, sync_log
from tenbin.store.folder import StoreFolder
from tenbin.store.frames import decoder
from tenbin.store.mending import forget, mend_dead, retire
from tenbin.store.schema import LEDGER
from tenbin.store.segment import Segment
from tenbin.store.writer import JournalWriter

APPLY_EVERY_S = 0.2
RETRY_S = 1.0
MEND_EVERY_S = 2.0
BUSY_S = 1.0
LAST_TRIES = 3


class Applier:
    """Applies the segments of one journal writer, and mends what dead workers have left.

    While SQLite is locked, full, read-only or gone, the journal simply grows, and is applied when it is back.
    """

    def __init__(self, store: StoreFolder, journal: JournalWriter) -> None:
        self.store = store
        self.journal = journal
        self.rows_applied = 0
        self.rows_lost = 0
        self.is_away = False
        self._link: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._file: int | None = None
        self._decode = decoder()
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._is_stopping = False
        self._is_settled: bool | None = None
        self._mended_at = 0.0
        self._lock = threading.Lock()
        self._askers: list[Callable[[bool], None]] = []
        self._log = logging.getLogger("tenbin.store")
        self._thread = threading.Thread(target=self._run, name="tenbin-ledger", daemon=True)

    def start(self) -> None:
        """Start the thread, once."""
        self._thread.start()

    def notify(self) -> None:
        """There is something to apply; cheap enough to be said after every group."""
        if not self._work.is_set():
            self._work.set()

    def ask(self, answer: Callable[[bool], None]) -> None:
        """Apply now what is durable, then call `answer` in this thread with whether that went well.

        Once the thread has ended, `answer` is called in the caller's with how it ended.
        """
        with self._lock:
            end = self._is_settled
            if end is None:
                self._askers.append(answer)
        if end is not None:  # the thread has ended meanwhile
            answer(end)
        self._hurry.set()
        self._work.set()

    def stop(self) -> None:
        """Apply what is left, if SQLite takes it, and end the thread. Blocks; call it off the event loop."""
        self._is_stopping = True
        self._hurry.set()
        self._work.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopping:
            if self._work.wait(MEND_EVERY_S):
                self._hurry.wait(RETRY_S if self.is_away else APPLY_EVERY_S)
            self._hurry.clear()
            self._work.clear()
            with self._lock:
                askers, self._askers = self._askers, []
            is_done = self._attempt(self._cycle)
            for answer in askers:
                answer(is_done)
            if not is_done:
                self._work.set()
        # A neighbour's transaction is no reason to leave work to the next start; an outage is.
        is_settled = any(self._attempt(self._finish) for _ in range(LAST_TRIES))
        with self._lock:
            self._is_settled = is_settled
        for answer in self._askers:
            answer(is_settled)
        self._drop_link()
        self._drop_file()
        self.journal.leave(settled=is_settled)

    def _attempt(self, step: Callable[[sqlite3.Connection], None]) -> bool:
        """Do a step; a database that does not take it is dropped and opened anew the next time."""
        try:
            step(self._connected())
        except Exception as error:
            # Whatever it is: this thread has nobody to tell, and a ledger that is not filled any more tells nobody.
            if not self.is_away:
                self._log.error("the ledger does not take rows, they wait in the journal: %s", error)
            self.is_away = True
            self._drop_link()
            return False
        if self.is_away:
            self._log.warning("the ledger takes rows again")
        self.is_away = False
        return True

    def _connected(self) -> sqlite3.Connection:
        """The connection, opened anew where the file under it has been deleted or replaced."""
        if self._link is not None:
            try:
                found = os.stat(self.store.ledger)
                is_same = (found.st_dev, found.st_ino) == self._inode
            except OSError:
                is_same = False
            if not is_same:
                self._drop_link()
        if self._link is None:
            self.store.create()
            # Rows are safe in the journal until they are on the disk in the ledger, too. To wait for that with every
            # batch would keep requests waiting, whose intents go to the same disk.
            self._link = open_database(self.store.ledger, LEDGER, busy_s=BUSY_S, waits_for_disk=False)
            found = os.stat(self.store.ledger)
            self._inode = (found.st_dev, found.st_ino)
        return self._link

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _cycle(self, link: sqlite3.Connection) -> None:
        """Apply everything durable, remove what is done with, look after the dead now and then."""
        self._apply(link)
        now = time.monotonic()
        if now - self._mended_at > MEND_EVERY_S:
            mend_dead(self.store, link)
            self._mended_at = now

    def _apply(self, link: sqlite3.Connection) -> None:
        """Apply what is durable, segment by segment, and remove those that are done with."""
        segments = self.journal.segments
        while True:
            segment = segments[0]
            # Asked before the size: a segment that is sealed by now grows no more.
            is_sealed = segment.is_sealed
            fault = self._apply_segment(link, segment, segment.size)
            if fault:
                self._log.error("the journal %s is %s: what is left of it is lost", segment.name, fault)
                if not is_sealed:
                    self.journal.turn_now()
                    return
            if not is_sealed:
                self.journal.turn()
                return
            sync_log(self.store.ledger)
            self.rows_lost += max(0, segment.rows - segment.applied_rows)
            segments.popleft()
            self._drop_file()
            if fault == "damaged" and segment.path.exists():
                segment.path.rename(segment.path.with_suffix(".damaged"))
            forget(link, segment.path)

    def _apply_segment(self, link: sqlite3.Connection, segment: Segment, end: int) -> str | None:
        """Apply a segment up to `end`; why not all of it can be read, None where it can."""
        try:
            # Opened early and kept: a file that is deleted can still be read by who has it open.
            if self._file is None:
                self._file = os.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            return "deleted" if segment.applied < end else None
        while segment.applied < end:
            progress = apply_batch(link, self._decode, segment.name, self._file, end)
            segment.applied = progress.offset
            segment.applied_rows += progress.rows
            self.rows_applied += progress.rows - progress.unfit
            self.rows_lost += progress.unfit
            if progress.fault:
                return "damaged"
        return None

    def _drop_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _finish(self, link: sqlite3.Connection) -> None:
        """Leave as one who has died in order: nothing is left for others to mend."""
        self._apply(link)
        retire(self.store, link, self.journal.writer)
