"""Opening SQLite files: versions, modes, and one sentence for whatever is wrong with them."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenbin.errors import StoreError
from tenbin.store.folder import create_private

DAMAGED = "put a copy in its place, or move it away with its -wal and -shm: a new one is made then"


class NewerStoreError(StoreError):
    """A store that a newer Tenbin has written: waiting does not help."""


class OlderStoreError(StoreError):
    """A store that has yet to be brought up to date, which the next gateway that starts does."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database holds: `steps[v]` brings it from version v to v + 1, statements apart by empty lines.

    `PRAGMA user_version` is the count of steps.
    """

    steps: tuple[str, ...]
    journal_mode: str


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say what SQLite or the file system objects to as a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        fix = DAMAGED if is_damaged else "look at the disk and at who holds the file"
        raise StoreError(f"the database does not answer: {error}", where=str(path), fix=fix) from error
    except OSError as error:
        raise StoreError(f"cannot be opened: {error.strerror}", where=str(path)) from error


def open_database(path: Path, schema: Schema, *, busy_s: float, waits_for_disk: bool = True) -> sqlite3.Connection:
    """A connection that may write, the schema brought up to date; waits at most `busy_s` for a lock.

    Where it does not wait for the disk a commit outlives the process, but a power cut only after `sync_log`.

    Errors: NewerStoreError for a store of a newer Tenbin, StoreError for anything else.
    """
    with told(path):
        create_private(path)
        link = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        try:
            set_journal_mode(link, schema.journal_mode, busy_s)
            link.execute(f"PRAGMA synchronous = {'FULL' if waits_for_disk else 'NORMAL'}")
            link.execute("PRAGMA secure_delete = ON")
            if version_of(link, path, schema) < len(schema.steps):
                upgrade(link, path, schema)
        except BaseException:
            link.close()
            raise
        return link


def sync_log(path: Path) -> None:
    """Bring to the disk what connections that do not wait for it have committed to a database with a write-ahead log.

    Errors: OSError.
    """
    try:
        log = os.open(f"{path}-wal", os.O_RDONLY)
    except FileNotFoundError:  # whoever closed the database last has brought all of it in, and waited for that
        return
    try:
        os.fsync(log)
    finally:
        os.close(log)


def set_journal_mode(link: sqlite3.Connection, mode: str, busy_s: float) -> None:
    """Change the mode of a new file; SQLite does not wait for others there, who may be making the same change."""
    stop = time.monotonic() + busy_s
    while str(link.execute("PRAGMA journal_mode").fetchone()[0]).upper() != mode:
        try:
            link.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError:
            if time.monotonic() > stop:
                raise
            time.sleep(0.01)


def open_reader(path: Path, schema: Schema, *, busy_s: float) -> sqlite3.Connection:
    """A connection that only reads.

    Errors: StoreError where there is no such database, OlderStoreError or NewerStoreError for another version.
    """
    if not path.exists():
        raise StoreError("there is no store here yet", where=str(path), fix="start the gateway once, or mend the path")
    with told(path):
        uri = f"{path.absolute().as_uri()}?mode=ro"
        link = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
        try:
            if (version := version_of(link, path, schema)) < len(schema.steps):
                what = f"the store is of version {version}, this Tenbin reads {len(schema.steps)}"
                fix = "start the gateway once: it brings the store up to date"
                raise OlderStoreError(what, where=str(path), fix=fix)
        except BaseException:
            link.close()
            raise
        return link


def version_of(link: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """The version of the schema inside. Errors: NewerStoreError beyond the one known here."""
    version = int(link.execute("PRAGMA user_version").fetchone()[0])
    if version > len(schema.steps):
        what = f"the store is of version {version}, this Tenbin knows {len(schema.steps)}"
        raise NewerStoreError(what, where=str(path), fix="run the newer Tenbin, or name another folder")
    return version


def upgrade(link: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Run the missing steps in one transaction; two workers may try at once.

    Errors: StoreError where a step fails, as on a disk without room for it; sqlite3.Error where somebody else writes.
    """
    link.execute("BEGIN IMMEDIATE")
    version = 0
    try:
        version = version_of(link, path, schema)
        for step in schema.steps[version:]:
            for statement in step.split("\n\n"):
                link.execute(statement)
        link.execute(f"PRAGMA user_version = {len(schema.steps)}")
        link.execute("COMMIT")
    except BaseException as error:
        if link.in_transaction:
            link.execute("ROLLBACK")
        if not version or not isinstance(error, sqlite3.Error):
            raise
        what = f"the store cannot be brought from version {version} to {len(schema.steps)}: {error}"
        fix = "look at the disk: for a while this takes several times the room of the store"
        raise StoreError(what, where=str(path), fix=fix) from error


@contextmanager
def transaction(link: sqlite3.Connection) -> Iterator[None]:
    """One IMMEDIATE transaction: all of it or nothing."""
    link.execute("BEGIN IMMEDIATE")
    try:
        yield
        link.execute("COMMIT")
    except BaseException:
        if link.in_transaction:
            link.execute("ROLLBACK")
        raise
