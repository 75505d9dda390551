"""Who is alive: every worker holds a lock that the kernel lets go of when it dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from pathlib import Path

from tenbin.config.values import quoted
from tenbin.errors import StoreError
from tenbin.store.folder import StoreFolder

WORKER_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def new_writer(worker: str) -> str:
    """A name for one life of a worker: process ids and worker names come back, this does not.

    Errors: StoreError for a worker's name that cannot stand in a file name.
    """
    if not WORKER_NAME.fullmatch(worker):
        fix = "take up to 40 letters, digits, - and _"
        raise StoreError(f"{quoted(worker)} cannot name a worker", fix=fix)
    return f"{worker}~{secrets.token_hex(6)}"


class Presence:
    """The held lock of one writer, a file beside its journal."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd

    @classmethod
    def take(cls, path: Path, *, is_own: bool) -> Presence | None:
        """The lock. Of another writer: None where somebody holds it or there is no such file.

        One's own is made where it is missing, and waited for: others hold it only while they look whether we live.
        """
        while True:
            try:
                fd = os.open(path, os.O_RDWR | (os.O_CREAT if is_own else 0), 0o600)
            except FileNotFoundError:
                return None
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever mends the dead removes their file: a lock on a file without a name excludes nobody.
                if os.fstat(fd).st_nlink:
                    return cls(path, fd)
            except BlockingIOError:
                if not is_own:
                    os.close(fd)
                    return None
            os.close(fd)

    def leave(self, *, settled: bool) -> None:
        """Let go; `settled`: nothing of this writer is left to be mended, so the file goes too."""
        if settled:
            self.path.unlink(missing_ok=True)
        os.close(self.fd)


def writers(folder: StoreFolder) -> list[str]:
    """Every writer that has left a lock or a journal, dead or alive."""
    names = {path.name.partition(".")[0] for path in folder.journals.glob("*~*.*") if path.suffix in {".lock", ".log"}}
    return sorted(names)


def lock_of(folder: StoreFolder, writer: str) -> Path:
    """The lock file of a writer."""
    return folder.journals / f"{writer}.lock"
