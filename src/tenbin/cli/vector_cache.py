"""Where `fit` keeps the vectors of slow embedders between runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tenbin.errors import UsageError

FILE = "vectors.sqlite3"
NOWHERE = "none"


def vector_cache(asked: str | None, environ: Mapping[str, str]) -> Path | None:
    """The file of a flag or, without one, of the user's cache folder; None where it is "none".

    The folder is TENBIN_CACHE, else XDG_CACHE_HOME/tenbin, else ~/.cache/tenbin (XDG Base Directory Specification).
    UsageError where the flag names a folder.
    """
    if asked is not None:
        place = Path(asked)
        if place.is_dir():
            raise UsageError("is a folder", where=asked, fix=f"name a file with --vector-cache, or {NOWHERE}")
        return None if asked == NOWHERE else place
    own = environ.get("TENBIN_CACHE", "")
    if own:
        return None if own == NOWHERE else Path(own) / FILE
    shared = Path(environ.get("XDG_CACHE_HOME", ""))
    if shared.is_absolute():  # the specification says to pass over a relative one
        return shared / "tenbin" / FILE
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".cache" / "tenbin" / FILE if home else None
