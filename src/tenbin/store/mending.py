"""Setting right what dead workers have left: rows still in their journals, calls without an end, leases."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from tenbin.store.apply import apply_batch
from tenbin.store.database import open_database, sync_log, told, transaction
from tenbin.store.folder import StoreFolder, create_private
from tenbin.store.frames import decoder
from tenbin.store.presence import Presence, lock_of, writers
from tenbin.store.schema import LEDGER
from tenbin.store.segment import segments_of

BUSY_S = 5.0
# Writers that are known by their rows alone, where somebody has deleted their files.
UNFINISHED = "SELECT writer FROM calls WHERE status IS NULL UNION SELECT writer FROM leases"


def mend(folder: Path) -> int:
    """Apply the journals of dead workers and settle their open calls as `unknown` at their reserve.

    Gives the number of such calls. Workers that live are left alone; several may mend at once.
    Errors: StoreError where the ledger does not answer; nothing is lost then, the next mending does it.
    """
    store = StoreFolder(folder)
    if not store.ledger.exists() and not writers(store):
        return 0
    link = open_database(store.ledger, LEDGER, busy_s=BUSY_S)
    try:
        with told(store.ledger):
            return mend_dead(store, link)
    finally:
        link.close()


def mend_dead(store: StoreFolder, link: sqlite3.Connection) -> int:
    """Mend every dead writer over an open connection. Errors: sqlite3.Error, OSError."""
    calls = 0
    known = {row[0] for row in link.execute(UNFINISHED)}
    for writer in sorted(known.union(writers(store))):
        lock = lock_of(store, writer)
        # A lock that somebody has deleted is made again: whoever lives takes it before writing the next row.
        create_private(lock)
        presence = Presence.take(lock, is_own=False)
        if presence is None:
            continue
        try:
            calls += retire(store, link, writer)
        except BaseException:
            presence.leave(settled=False)
            raise
        presence.leave(settled=True)
    return calls


def retire(store: StoreFolder, link: sqlite3.Connection, writer: str) -> int:
    """Bring in what a writer has journalled, end its open calls, free its leases; the caller holds its lock."""
    for path in segments_of(store, writer):
        replay(store, link, path)
    with transaction(link):
        ended = link.execute(
            "UPDATE calls SET status = 'unknown', settled_at = ? WHERE writer = ? AND status IS NULL",
            (time.time(), writer),
        )
        link.execute("DELETE FROM leases WHERE writer = ?", (writer,))
        # Of segments that were removed in the moment before the writer died.
        link.execute("DELETE FROM journals WHERE segment GLOB ? || '.*'", (writer,))
    return ended.rowcount


def replay(store: StoreFolder, link: sqlite3.Connection, path: Path) -> None:
    """Apply what is left in a dead writer's segment, then remove it; a damaged one is set aside for people."""
    fd = os.open(path, os.O_RDONLY)
    try:
        decode = decoder()
        fault = None
        while True:
            progress = apply_batch(link, decode, path.name, fd, None)
            fault = fault or progress.fault
            if progress.is_done:
                break
    finally:
        os.close(fd)
    sync_log(store.ledger)
    if fault == "damaged":
        path.rename(path.with_suffix(".damaged"))
    forget(link, path)


def forget(link: sqlite3.Connection, path: Path) -> None:
    """Remove a segment whose rows are in the ledger and on the disk; the file first, or they would come in again after
    a crash in between.
    """
    path.unlink(missing_ok=True)
    link.execute("DELETE FROM journals WHERE segment = ?", (path.name,))
