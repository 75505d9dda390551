"""Taking prompts and answers out again, after their time or at a user's wish: the row of the call stays. And taking
out the rows themselves after theirs, so that the ledger ends growing: the sums by day stay."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tenbin.errors import StoreError
from tenbin.store.apply import user_hash
from tenbin.store.database import open_database, told, transaction
from tenbin.store.folder import StoreFolder
from tenbin.store.frames import HEADER, blank, frames_end
from tenbin.store.mending import mend
from tenbin.store.period import DAY_S
from tenbin.store.schema import LEDGER

BUSY_S = 5.0
# A living worker applies its journal within a fraction of a second; one that cannot is named in `pending`.
WAIT_S = 5.0
ATTEMPT_MS = 20
# The next texts, by name, of calls that are older than a moment. From the texts to the calls (a cross join keeps its
# order): of a year's calls few have any left.
AGED = """
SELECT t.request_id, t.call_no FROM texts t CROSS JOIN calls c
WHERE c.request_id = t.request_id AND c.call_no = t.call_no AND (t.request_id, t.call_no) > (?1, ?2)
  AND c.at < ?3 AND /*which*/ ORDER BY t.request_id, t.call_no LIMIT ?4
"""
OF_PROFILE, OF_SETTLED = "c.profile = ?5", "c.status IS NOT NULL"
OF_USER = """
DELETE FROM texts WHERE rowid IN (SELECT t.rowid FROM texts t
  JOIN calls c ON c.request_id = t.request_id AND c.call_no = t.call_no WHERE c.user = ?1)
"""
# An open call may still bring its answer: it is marked, so that the answer is not let in.
FREE = """
UPDATE calls SET user = NULL, conversation = NULL,
  texts = iif(texts IS NULL AND status IS NOT NULL, NULL, 'deleted') WHERE user = ?
"""
MARK = "UPDATE calls SET texts = 'expired' WHERE request_id = ? AND call_no = ? AND texts = 'stored'"
DELETE = "DELETE FROM texts WHERE request_id = ? AND call_no = ?"

# Settled calls by their time; decisions and feedback came in about that order and have no index over it.
OUTDATED = (
    "DELETE FROM calls WHERE rowid IN (SELECT rowid FROM calls WHERE at < ?1 AND status IS NOT NULL LIMIT ?2)",
    "DELETE FROM decisions WHERE rowid IN (SELECT rowid FROM decisions ORDER BY rowid LIMIT ?2) AND at < ?1",
    "DELETE FROM feedback WHERE rowid IN (SELECT rowid FROM feedback ORDER BY rowid LIMIT ?2) AND at < ?1",
)
ROWS_AT_ONCE = 500
"""Few enough for those who write meanwhile: they wait for some hundredths of a second."""
TEXTS_AT_ONCE = 200
"""The same of texts, which may be long."""

Rest = Callable[[float], bool]
"""Waits so many seconds, as `threading.Event.wait`: True says to stop where one is."""


class _StoppedError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out: `texts` deleted, `calls` freed of their user's name.

    `pending` names what may still hold copies: journals of workers that could not apply them to the ledger yet, or
    the ledger's write-ahead log while somebody reads. Run the same again until it is empty.
    """

    texts: int
    calls: int
    pending: tuple[str, ...]


def expire(folder: Path, days: Mapping[str, float], now: float | None = None, *, rest: Rest | None = None) -> Erased:
    """Delete the texts that are older than their profile's `retention_days`; profiles not named keep theirs.

    `rest` is called between two steps, and may end it. Errors: StoreError where the ledger does not answer; what is
    left is deleted the next time.
    """
    store = StoreFolder(Path(folder))
    at = time.time() if now is None else now
    mend(store.path)
    texts = 0
    with closing(open_database(store.ledger, LEDGER, busy_s=BUSY_S)) as link, told(store.ledger):
        with suppress(_StoppedError):
            for profile, kept_days in days.items():
                for names in pages(link, OF_PROFILE, at - kept_days * DAY_S, profile):
                    with a_turn(link, rest):
                        link.executemany(MARK, names)
                        texts += delete_texts(link, names, "expire", profile)
        return Erased(texts, 0, scrub(store, link))


def forget(folder: Path, days: float, now: float | None = None, *, rest: Rest | None = None) -> int:
    """Delete the settled calls, with their texts, the decisions and the feedback that are older; how many rows.

    What was spent by key and day stays. `rest` is called between two steps, and may end it. Errors: StoreError where
    the ledger does not answer; what is left is deleted the next time.
    """
    store = StoreFolder(Path(folder))
    limit = (time.time() if now is None else now) - days * DAY_S
    texts = rows = 0
    with closing(open_database(store.ledger, LEDGER, busy_s=BUSY_S)) as link, told(store.ledger):
        with suppress(_StoppedError):
            for names in pages(link, OF_SETTLED, limit):
                with a_turn(link, rest):
                    texts += delete_texts(link, names, "forget", f"older than {days:g} days")
            for statement in OUTDATED:
                deleted = ROWS_AT_ONCE
                while deleted == ROWS_AT_ONCE:
                    with a_turn(link, rest):
                        deleted = link.execute(statement, (limit, ROWS_AT_ONCE)).rowcount
                        rows += deleted
        if texts:
            scrub(store, link)
    return rows


def delete_user(folder: Path, user: str) -> Erased:
    """Delete every prompt and answer of a user, and the user's name from the calls, which stay in the sums.

    Rows that are still on their way are caught when they arrive: the ledger remembers a hash of the name.
    Errors: StoreError where there is no ledger or it does not answer; then nothing is deleted.
    """
    store = StoreFolder(Path(folder))
    mend(store.path)
    if not store.ledger.exists():
        fix = "name the folder of [store] path; the first request begins a ledger"
        raise StoreError("holds no ledger", where=str(store.path), fix=fix)
    with closing(open_database(store.ledger, LEDGER, busy_s=BUSY_S)) as link, told(store.ledger):
        with transaction(link):
            remembered = (user_hash(user), time.time())
            link.execute("INSERT INTO erasures VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = ?2", remembered)
            texts = link.execute(OF_USER, (user,)).rowcount
            freed = link.execute(FREE, (user,)).rowcount
            audit(link, "delete_user", remembered[0], texts, freed)
        return Erased(texts, freed, scrub(store, link))


@contextmanager
def a_turn(link: sqlite3.Connection, rest: Rest | None) -> Iterator[None]:
    """One transaction, then as long a rest: SQLite lets nobody wait in a line, and whoever comes again at once wins."""
    began = time.monotonic()
    with transaction(link):
        yield
    if (rest or threading.Event().wait)(time.monotonic() - began):
        raise _StoppedError


def pages(link: sqlite3.Connection, which: str, limit: float, *values: object) -> Iterator[list[tuple[str, int]]]:
    """The names of such texts of calls before `limit`, some at a time, looked for while everybody may write."""
    sql, last = AGED.replace("/*which*/", which), ("", -1)
    while names := link.execute(sql, (*last, limit, TEXTS_AT_ONCE, *values)).fetchall():
        yield names
        last = names[-1]


def delete_texts(link: sqlite3.Connection, names: Sequence[tuple[str, int]], action: str, subject: str) -> int:
    """Delete those that are still there, and remember it; `secure_delete` writes zeros over them."""
    deleted = link.executemany(DELETE, names).rowcount
    if deleted:
        audit(link, action, subject, deleted, 0)
    return deleted


def audit(link: sqlite3.Connection, action: str, subject: str, texts: int, calls: int) -> None:
    """Remember that something was taken out, and how much, without what it was."""
    link.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", (time.time(), action, subject, texts, calls))


def scrub(store: StoreFolder, link: sqlite3.Connection) -> tuple[str, ...]:
    """Take what has been deleted out of the journals and the write-ahead log, too; what could not be cleared."""
    waiting = {path: end for path in sorted(store.journals.glob("*.log")) if (end := _end_of(path))}
    stop = time.monotonic() + WAIT_S
    while True:
        waiting = {path: size for path, size in waiting.items() if path.exists() and wipe(link, path) < size}
        if not waiting or time.monotonic() > stop:
            break
        time.sleep(0.1)
    pending = [path.name for path in waiting]
    # Emptying the log keeps writers away while it waits for whoever reads, as a copy of the ledger does: so most of the
    # work comes before, and many short attempts stand in place of a long one.
    link.execute("PRAGMA wal_checkpoint(PASSIVE)")
    link.execute(f"PRAGMA busy_timeout = {ATTEMPT_MS}")
    while True:
        is_busy = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if not is_busy or time.monotonic() > stop:
            break
        time.sleep(0.1)
    pending += ["ledger.sqlite-wal"] if is_busy else []
    pending += [path.name for path in sorted(store.journals.glob("*.damaged"))]
    return tuple(pending)


def _end_of(path: Path) -> int:
    """Where the frames of a segment end now; 0 for one that has gone."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        return frames_end(fd)
    finally:
        os.close(fd)


def wipe(link: sqlite3.Connection, path: Path) -> int:
    """Blank the frames of a segment that are in the ledger; gives how far that is.

    Nobody reads them again, and their writer only touches what comes after them.
    """
    found = link.execute("SELECT offset FROM journals WHERE segment = ?", (path.name,)).fetchone()
    applied = int(found[0]) if found else 0
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return applied
    try:
        at = 0
        while at < applied:
            length = HEADER.unpack(os.pread(fd, HEADER.size, at))[0]
            os.pwrite(fd, blank(length), at)
            at += HEADER.size + length
        os.fsync(fd)
    finally:
        os.close(fd)
    return applied
