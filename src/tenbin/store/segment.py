"""One file of a journal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tenbin.store.folder import StoreFolder
from tenbin.store.pen import Outcome

ROOM_BYTES = 256 << 10


class Segment:
    """A file that grows at its end; `size` is how much of it is known to be on the disk, `applied` in the ledger.

    Behind the end lie zeros, room that is laid out now and then with what is written: a write that makes a file longer
    waits for the file system's journal, too, and takes half as long again.

    `rows` and `applied_rows` count the same. One thread appends until it has sealed it, another reads up to `size`
    by a descriptor of its own, so that a long spool keeps few files open.
    """

    def __init__(self, path: Path) -> None:
        # A write that syncs, not a write and a sync: after every system call the interpreter's lock has to be won back
        # from an event loop that decides meanwhile, five milliseconds each time.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_DSYNC
        self.path = path
        self.fd = os.open(path, flags, 0o600)
        self.size = self._end = 0
        self._room_until = 0
        self._lays_out = True
        self.rows = 0
        self.applied = 0
        self.applied_rows = 0
        self.is_sealed = False
        sync_folder(path.parent)

    @property
    def name(self) -> str:
        """The name of its file, by which the ledger knows how far it is applied."""
        return self.path.name

    @property
    def is_gone(self) -> bool:
        """Whether somebody has deleted the file: what is written to it now would die with this process."""
        return os.fstat(self.fd).st_nlink == 0

    def laid_out(self, data: bytes) -> bytes:
        """What is to be written at `size`: the data, and room behind them where there is none left."""
        self._end = self.size + len(data)
        return data + bytes(ROOM_BYTES) if self._end > self._room_until and self._lays_out else data

    def take(self, outcome: Outcome) -> None:
        """Count what came down of that, or raise OSError and leave the end where it was.

        The bytes always go to `size`, so a failed write is simply written over by the next attempt.
        """
        until = self.size + outcome.written
        if outcome.fault:
            self._lays_out = False  # where the disk is nearly full, what is left of it is for frames
            if until < self._end:
                self._cut()
                raise OSError(outcome.fault, os.strerror(outcome.fault))
        self.size = self._end
        self._room_until = max(self._room_until, until)

    def _cut(self) -> None:
        """Take half-written bytes off the end, so that whoever reads after our death does not find them whole."""
        # Where even that fails, the next attempt writes over them.
        self._room_until = self.size
        with contextlib.suppress(OSError):
            os.ftruncate(self.fd, self.size)

    def seal(self) -> None:
        """Never append again; the room that is left goes."""
        self._cut()
        self.is_sealed = True
        os.close(self.fd)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a synced file without a name is lost in a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def segment_path(folder: StoreFolder, writer: str, number: int) -> Path:
    """Where the n-th segment of a writer stands."""
    return folder.journals / f"{writer}.{number:08d}.log"


def segments_of(folder: StoreFolder, writer: str) -> Iterator[Path]:
    """The segments that a writer has left, oldest first."""
    yield from sorted(folder.journals.glob(f"{writer}.*.log"))
