"""A key that stands twice in one JSON object: readers would take one of its values without a word."""

from __future__ import annotations

SHOWN_CHARS = 60


class RepeatedKeyError(ValueError):
    """A key stands twice in an object; its argument is the key, cut short."""


def no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these pairs, for `json.loads(..., object_pairs_hook=...)` (RepeatedKeyError)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedKeyError(next(name for name in names if names.count(name) > 1)[:SHOWN_CHARS])
    return found
