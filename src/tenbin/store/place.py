"""Which number a worker bears among all that share a store, several gateways' too: what it marks there is its alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path

from tenbin.errors import StoreError
from tenbin.store.folder import make_private

MAX_PLACES = 256
TRIES = 5
PAUSE_S = 0.01
"""Who looks whether a place is taken holds it for a moment."""


class Place:
    """A worker's own number, or the next that nobody alive holds: a second gateway's workers have the same numbers.

    The kernel lets go of a place when its process dies; whoever comes next goes on with its marks. Methods block for a
    moment.
    """

    def __init__(self, folder: Path, worker: int) -> None:
        self.folder = Path(folder) / "places"
        self.number = worker
        self.has_company = False
        """Whether somebody else held a place at the last look at all that are taken."""
        self._fd: int | None = None
        self._lock = threading.Lock()

    def take(self) -> None:
        """Hold a place from now on. Errors: StoreError where the disk refuses; the number is the worker's own then."""
        try:
            make_private(self.folder)
            for number in range(self.number, self.number + MAX_PLACES):
                if (fd := self._locked(number)) is not None:
                    self.number, self._fd = number, fd
                    return
        except OSError as error:
            raise StoreError(f"no place can be taken ({error.strerror})", where=str(self.folder)) from error
        raise StoreError(f"{MAX_PLACES} workers share this store already", where=str(self.folder))

    def taken(self) -> frozenset[int]:
        """The numbers that somebody alive holds, one's own among them. Errors: StoreError where the disk refuses."""
        try:
            self._stay()
            names = [path.name for path in self.folder.glob("*") if path.name.isdecimal()][:MAX_PLACES]
            others = {int(name) for name in names if int(name) != self.number and self._is_held(name)}
        except OSError as error:
            raise StoreError(f"the places cannot be read ({error.strerror})", where=str(self.folder)) from error
        self.has_company = bool(others)
        return frozenset(others | {self.number})

    def leave(self) -> None:
        """Let go of the place."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _stay(self) -> None:
        """Take a place anew where somebody has deleted the store: nobody would find us by a file without a name."""
        with self._lock:
            if self._fd is not None and os.fstat(self._fd).st_nlink == 0:
                before = self._fd
                with contextlib.suppress(StoreError):  # while the disk refuses; the next look tries again
                    self.take()
                    os.close(before)

    def _locked(self, number: int) -> int | None:
        """The held lock of a number, None where somebody else has it."""
        fd = os.open(self.folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(TRIES):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(PAUSE_S)
            else:
                return fd
        os.close(fd)
        return None

    def _is_held(self, name: str) -> bool:
        fd = os.open(self.folder / name, os.O_RDWR)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False
