"""What is to stand in a file's place, or be a new folder: made beside it, there only when whole."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LONGEST_NAME = 200
"""Bytes of a file's own name in that of the place beside it, which file systems end at 255."""


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """A place beside `path` that takes its name when the block ends well, and is gone when it does not (OSError).

    Each thread of each process has a place of its own. Who needs the content to survive a power cut syncs it. An error
    names `path`: of the place beside it nobody has heard.
    """
    if not path.name:  # the root has no place beside it
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    name = os.fsdecode(os.fsencode(path.name)[:LONGEST_NAME])
    beside = path.with_name(f".{name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) == str(beside):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        if beside.is_dir():
            shutil.rmtree(beside, ignore_errors=True)
        else:
            with suppress(OSError):  # on a disk that only reads, of a file that is not there: what failed is told
                beside.unlink()
