"""Where `fit` keeps the vectors of slow embedders between runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tenbin.cli.cache_folder import NOWHERE, cache_folder
from tenbin.errors import UsageError

FILE = "vectors.sqlite3"


def vector_cache(asked: str | None, environ: Mapping[str, str]) -> Path | None:
    """The file of a flag or, without one, of the user's cache folder; None where it is "none".

    UsageError where the flag names a folder.
    """
    if asked is not None:
        place = Path(asked)
        if place.is_dir():
            raise UsageError("is a folder", where=asked, fix=f"name a file with --vector-cache, or {NOWHERE}")
        return None if asked == NOWHERE else place
    folder = cache_folder(environ)
    return None if folder is None else folder / FILE
