"""The user's cache folder: what is slow to make and safe to lose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NOWHERE = "none"


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """TENBIN_CACHE, else XDG_CACHE_HOME/tenbin, else ~/.cache/tenbin (XDG Base Directory Specification).

    None where it is "none" or there is no home.
    """
    own = environ.get("TENBIN_CACHE", "")
    if own:
        return None if own == NOWHERE else Path(own)
    shared = Path(environ.get("XDG_CACHE_HOME", ""))
    if shared.is_absolute():  # the specification says to pass over a relative one
        return shared / "tenbin"
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".cache" / "tenbin" if home else None
