"""A pilot's journal: lines of JSON at the end of one file, on the disk before anybody relies on them.

One process writes it at a time. A line that a crash cut off is cut away when the journal is opened; whatever stands in
front of it stays as it is, byte for byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import msgspec

from tenbin.errors import DataError, StoreError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.records import Record
from tenbin.store.segment import sync_folder

BLOCK_BYTES = 64 << 10


class Journal:
    """The journal of one pilot, open for writing; `close` it, or use it as a context.

    `append` blocks until its lines are on the disk, `commit` lets other coroutines run meanwhile. Both raise StoreError
    where the disk does not take them; the file then ends where it ended before.
    """

    def __init__(self, path: Path, fd: int, lock_fd: int) -> None:
        self.path = path
        self._fd = fd
        self._lock_fd = lock_fd
        self._size = os.fstat(fd).st_size
        self._encoder = msgspec.json.Encoder()
        # Its own thread: behind graders that take their time no call could be written down, and so none made.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, folder: PilotFolder) -> Self:
        """The journal of a pilot's folder, made where there is none yet.

        Raises StoreError where another process writes it, or where it cannot be written at all.
        """
        try:
            lock_fd = _locked(folder)
            try:
                is_new = not folder.journal.exists()
                fd = os.open(folder.journal, os.O_RDWR | os.O_CREAT, 0o600)
                if is_new:
                    sync_folder(folder.path)
                _mend(fd)
            except OSError:
                os.close(lock_fd)
                raise
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise StoreError(what, where=str(folder.path), fix="plan the pilot first, or check the folder") from error
        return cls(folder.journal, fd, lock_fd)

    def append(self, *records: Record) -> None:
        """Write these records; they are on the disk when this returns."""
        self._write(self._lines(records))

    async def commit(self, *records: Record) -> None:
        """As `append`; what many coroutines commit at once goes to the disk in one write."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((self._lines(records), done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        await done

    async def drain(self) -> None:
        """Wait until what was committed so far is on the disk, or has failed to get there."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    def close(self) -> None:
        """Let the next process write."""
        self._disk.shutdown()
        os.close(self._fd)
        os.close(self._lock_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lines(self, records: tuple[Record, ...]) -> bytes:
        return b"".join([self._encoder.encode(record) + b"\n" for record in records])

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                error: StoreError | None = None
                try:
                    loop, lines = asyncio.get_running_loop(), b"".join(lines for lines, _ in group)
                    await loop.run_in_executor(self._disk, self._write, lines)
                except StoreError as failed:
                    error = failed
                for _, done in group:
                    if done.done():  # whoever waited was cancelled; the lines are written all the same
                        continue
                    if error is None:
                        done.set_result(None)
                    else:
                        done.set_exception(error)
        finally:
            self._writing = None

    def _write(self, lines: bytes) -> None:
        try:
            view, at = memoryview(lines), self._size
            while view:
                written = os.pwrite(self._fd, view, at)
                view, at = view[written:], at + written
            os.fsync(self._fd)
        except OSError as error:
            with contextlib.suppress(OSError):  # where even that fails, the next opening cuts it
                os.ftruncate(self._fd, self._size)
            what = f"cannot be written ({error.strerror})"
            fix = "make room or mend the disk, then run again: all in it is kept"
            raise StoreError(what, where=str(self.path), fix=fix) from error
        self._size = at


def read_journal(folder: PilotFolder) -> Iterator[Record]:
    """The records of a pilot's journal, oldest first; none where nothing was ever run.

    A last line that was not written to its end is passed over. Raises DataError naming any other that is no record.
    """
    decoder = _decoder()
    try:
        stream = folder.journal.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        where = str(folder.journal)
        raise DataError(f"cannot be read ({error.strerror})", where=where, fix="check its permissions") from error
    with stream:
        for number, line in enumerate(stream, 1):
            if line.isspace():
                continue
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if not line.endswith(b"\n"):
                    return
                what = f"is no record of a pilot ({error})"
                fix = "take the file from a copy, or take this line out: what it recorded is then not counted"
                raise DataError(what, where=f"{folder.journal}:{number}", fix=fix) from None


def _decoder() -> msgspec.json.Decoder[Record]:
    return msgspec.json.Decoder(Record)


def _locked(folder: PilotFolder) -> int:
    """A held lock on the folder; whoever holds it has left its process id in the file, for people."""
    fd = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        os.close(fd)
        who = f" (process {holder})" if holder.isdigit() else ""
        fix = "wait until it has ended, or stop it"
        raise StoreError(f"another command is writing this pilot{who}", where=str(folder.path), fix=fix) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _mend(fd: int) -> None:
    """Make the file's last line whole: one that lacks only its end is ended, one that was cut off is cut away."""
    size = start = os.fstat(fd).st_size
    tail = b""
    while start > 0 and b"\n" not in tail:
        block = min(BLOCK_BYTES, start)
        start -= block
        tail = os.pread(fd, block, start) + tail
    last = tail[tail.rfind(b"\n") + 1 :]
    if not last:
        return
    try:
        _decoder().decode(last)
    except (msgspec.DecodeError, UnicodeDecodeError):
        os.ftruncate(fd, size - len(last))
    else:
        os.pwrite(fd, b"\n", size)
    os.fsync(fd)
