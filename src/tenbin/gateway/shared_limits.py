"""Limits of requests that hold for all workers of a gateway together, through files of its store.

A slot is a byte that a process has locked: the kernel lets go of it when the process dies, however it dies. A bucket is
two numbers in a file. Where the disk refuses, a limit holds for this worker alone, as it does without others.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import struct
import time
from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path

from tenbin.gateway.limits import RateLimit, Slots
from tenbin.store.folder import make_private

FOLDER, SLOTS = "limits", "slots"
MOST_SLOTS = 1 << 20
MOST_OPEN = 256
"""Of more buckets than this the file of the one asked longest ago is closed."""
PATIENCE_S = 0.05
"""Who holds a bucket does so for some microseconds, or for a few milliseconds where it loses its processor meanwhile;
should it hang instead, others go on without it."""
NAP_S = 0.0002
_BUCKET = struct.Struct("<qq")


class Limits:
    """Makes the limits of one worker; `is_shared`: they hold for all that share the store's folder."""

    def __init__(self, store: Path, *, is_shared: bool) -> None:
        self._folder = Path(store) / FOLDER
        self._is_shared = is_shared
        self._slots_fd: int | None = None
        self._buckets: OrderedDict[str, int] = OrderedDict()
        self.log = logging.getLogger("tenbin.gateway")

    def slots(self, name: str, limit: int | None) -> Slots:
        """As many at once, of this name."""
        if not self._is_shared:
            return Slots(limit)
        if self._slots_fd is None:
            self._slots_fd = self._opened(SLOTS)
        return Slots(limit) if self._slots_fd is None else SharedSlots(limit, self._slots_fd, name)

    def rate(self, key_id: str, per_minute: int) -> RateLimit:
        """So many a minute, of this key."""
        return SharedRate(per_minute, self, key_id) if self._is_shared else RateLimit(per_minute)

    def bucket(self, key_id: str) -> int | None:
        """The open file of a key's bucket, None where the disk refuses."""
        if (fd := self._buckets.get(key_id)) is not None:
            self._buckets.move_to_end(key_id)
            return fd
        if (fd := self._opened(key_id)) is not None:
            self._buckets[key_id] = fd
            if len(self._buckets) > MOST_OPEN:
                os.close(self._buckets.popitem(last=False)[1])
        return fd

    def close(self) -> None:
        """Close the files, which lets go of all slots."""
        for fd in (*self._buckets.values(), *(() if self._slots_fd is None else (self._slots_fd,))):
            os.close(fd)
        self._buckets.clear()
        self._slots_fd = None

    def _opened(self, name: str) -> int | None:
        try:
            make_private(self._folder)
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.log.warning("a limit holds for this worker alone: %s cannot be opened (%s)", name, error.strerror)
            return None


class SharedSlots(Slots):
    """Slots of one name, each of them a locked byte."""

    __slots__ = ("_fd", "_first", "_held")

    def __init__(self, limit: int | None, fd: int, name: str) -> None:
        super().__init__(limit)
        self._fd = fd
        self._first = int.from_bytes(blake2b(name.encode(), digest_size=5).digest()) * MOST_SLOTS
        self._held: list[int] = []

    @property
    def is_full(self) -> bool:
        """Whether every slot is taken, here or by others."""
        if not self.take():
            return True
        self.give()
        return False

    def take(self) -> bool:
        """Whether there was a slot, which is then taken until `give`."""
        if self.limit is None:
            self.taken += 1
            return True
        if self.taken >= self.limit:
            return False
        for slot in range(min(self.limit, MOST_SLOTS)):
            if slot not in self._held and _has_locked(self._fd, self._first + slot):
                self._held.append(slot)
                self.taken += 1
                return True
        return False

    def give(self) -> None:
        """Hand a taken slot back; ValueError where none is taken."""
        super().give()
        if len(self._held) > self.taken:
            _unlock(self._fd, self._first + self._held.pop())


class SharedRate(RateLimit):
    """The bucket of one key, read and written for every request."""

    __slots__ = ("_key_id", "_limits")

    def __init__(self, per_minute: int, limits: Limits, key_id: str) -> None:
        super().__init__(per_minute)
        self._limits = limits
        self._key_id = key_id

    def take(self, now: float) -> float:
        """0.0 and one request is taken, or the seconds until there is one."""
        fd = self._limits.bucket(self._key_id)
        if fd is None:
            return super().take(now)
        is_held = _gets_locked(fd, 0)
        try:
            self._read(fd)
            wait_s = super().take(max(now, time.monotonic()))  # others may have taken one since `now` was read
            self._write(fd)
        finally:
            if is_held:
                _unlock(fd, 0)
        return wait_s

    def _read(self, fd: int) -> None:
        with contextlib.suppress(OSError):
            written = os.pread(fd, _BUCKET.size, 0)
            if len(written) == _BUCKET.size:
                self._last, self._level = _BUCKET.unpack(written)

    def _write(self, fd: int) -> None:
        with contextlib.suppress(OSError, struct.error):
            os.pwrite(fd, _BUCKET.pack(self._last, self._level), 0)


def _has_locked(fd: int, byte: int) -> bool:
    """Whether no other process holds this byte; it is ours then. A file system that cannot lock hinders nobody."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _gets_locked(fd: int, byte: int) -> bool:
    """Whether this byte is ours within `PATIENCE_S`; naps, since who holds it may wait for this very processor."""
    last = time.monotonic() + PATIENCE_S
    while not _has_locked(fd, byte):
        if time.monotonic() > last:
            return False
        time.sleep(NAP_S)
    return True


def _unlock(fd: int, byte: int) -> None:
    with contextlib.suppress(OSError):  # as where it could not be locked
        fcntl.lockf(fd, fcntl.LOCK_UN, 1, byte)
