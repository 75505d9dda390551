"""The name of a metric: its kind, how it reads answers, and a hash of its settings where it has any of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

HASH_HEX = 8
FIRST_READING = 1


def identity(kind: str, settings: Mapping[str, Any], reading: int = FIRST_READING) -> str:
    """`exact`, `numeric.2` or `numeric.2-1a2b3c4d`: equal for what grades alike, whatever the config calls it.

    `settings` are those that differ from the kind's own; files stand in it by their content. `reading` counts up
    whenever the kind comes to grade some answer otherwise: what was graded before then is of another measure.

    >>> identity("exact", {}), identity("numeric", {}, 2)
    ('exact', 'numeric.2')
    >>> identity("numeric", {"tolerance": 0.01}) == identity("numeric", {"tolerance": 0.02})
    False
    """
    read = kind if reading == FIRST_READING else f"{kind}.{reading}"
    return f"{read}-{digest(settings)}" if settings else read


def digest(settings: Mapping[str, Any]) -> str:
    """The first 8 hex digits of the SHA-256 of the settings."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_HEX]
