"""The columns that `--map` renames."""

from __future__ import annotations

from collections.abc import Sequence

from tenbin.errors import UsageError


def renamed(renames: Sequence[str]) -> dict[str, str] | None:
    """The columns to rename as {ours: yours} (UsageError where one is not `a=b` or is given twice)."""
    mapping: dict[str, str] = {}
    for rename in renames:
        ours, equals, yours = rename.partition("=")
        if not (ours and equals and yours):
            raise UsageError(f'--map "{rename}" renames nothing', fix="write OURS=YOURS, e.g. --map quality=score")
        if ours in mapping:
            raise UsageError(f'--map names "{ours}" twice', fix="give every column once")
        mapping[ours] = yours
    return mapping or None
