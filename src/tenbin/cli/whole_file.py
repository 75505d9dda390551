"""A file that appears whole or not at all: written beside its place and renamed at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tenbin.cli.output import results
from tenbin.errors import UsageError
from tenbin.replacement import replacement

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a full disk says, in writing, without naming the file."""


def spare(written: Path | None, *others: Path | None) -> None:
    """Refuse to write where the same command reads or writes something else, which would be lost (UsageError)."""
    if written is None or str(written) == "-" or (written.exists() and not written.is_file()):
        return
    place = os.path.realpath(written)
    if any(other is not None and os.path.realpath(other) == place for other in others):
        raise UsageError("would be written over", where=str(written), fix="name another file for what is written")


def check_writable(place: Path | None) -> None:
    """Refuse a place that cannot be written before the work, not after it (UsageError)."""
    if place is not None and (place.is_dir() or not place.absolute().parent.is_dir()):
        what = "is a folder" if place.is_dir() else "is in a folder that does not exist"
        raise UsageError(what, where=str(place), fix="name another file")


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text stream that becomes `path` when the block ends well; otherwise `path` stays as it was.

    `-` is stdout, and what is no regular file (a pipe, /dev/null) is written to directly. Raises UsageError where
    `path` cannot be written.
    """
    if str(path) == "-":
        yield results()
        return
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file() and not place.is_dir():
        with place.open("w", encoding="utf-8") as stream:
            yield stream
        return
    try:
        with replacement(place) as beside:
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a directory", str(place))
            with beside.open("w", encoding="utf-8", newline="\n") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
    except OSError as error:
        if error.filename != str(place) and error.errno not in NO_ROOM:  # another file's, read to write this one
            raise
        what = f"cannot be written ({error.strerror})"
        raise UsageError(what, where=str(path), fix="name another file") from error
