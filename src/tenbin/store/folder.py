"""Where the store keeps what: one folder, private to its owner."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from errno import EACCES
from pathlib import Path

from tenbin.errors import StoreError

LOOKS = 10
"""A file that was there and may not be written may have gone in between, as the lock of a worker that leaves."""


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """The paths inside a store."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The database of requests and budgets."""
        return self.path / "ledger.sqlite"

    @property
    def keys(self) -> Path:
        """The database of API keys."""
        return self.path / "keys.sqlite"

    @property
    def journals(self) -> Path:
        """The folder where every worker writes a journal of its own."""
        return self.path / "journal"

    def make(self) -> None:
        """Make the folder and its journals' folder where they are missing, readable by their owner alone."""
        make_private(self.journals)

    def create(self) -> None:
        """As `make`, before anything else is done. Errors: StoreError."""
        try:
            self.make()
        except OSError as error:
            fix = "name a folder that this user may write in [store] path"
            raise StoreError(f"cannot be made: {error.strerror}", where=str(self.path), fix=fix) from error


def make_private(folder: Path) -> None:
    """Make a folder in the store, and the store where somebody deleted it, readable by their owner alone.

    Errors: OSError.
    """
    # Each by itself: a parent that is made on the way is everybody's to read.
    for each in (folder.parent, folder):
        missing = [path for path in (each, *each.parents) if not path.exists()]
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in reversed(missing):
            fd = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                hand_over(fd, made.parent)
            finally:
                os.close(fd)


def create_private(path: Path) -> None:
    """Make an empty file that only its owner may read; one that exists is left alone.

    SQLite gives its write-ahead log and shared memory the mode of the database, so this covers them too. Errors:
    OSError, also for one that may not be written, which SQLite would open for reading without a word.
    """
    # Never opened where it exists: closing it would let go of all locks that this process's connections hold on it
    # (POSIX), and another process would then take the write-ahead log away from under them.
    for _ in range(LOOKS):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if os.access(path, os.W_OK):
                return
        else:
            try:
                hand_over(fd, path.parent)
            finally:
                os.close(fd)
            return
    raise PermissionError(EACCES, os.strerror(EACCES), str(path))


def hand_over(fd: int, folder: Path) -> None:
    """Give what root has made to whom the folder around it belongs, as SQLite does with its own files.

    Who makes a key by `sudo` must not keep the gateway's user from reading it.
    """
    if os.geteuid() == 0:
        around = folder.stat()
        with suppress(OSError):  # a root that may give nothing away keeps it
            os.fchown(fd, around.st_uid, around.st_gid)
