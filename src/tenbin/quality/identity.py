"""The name of a metric: its kind, and a hash of its settings where it has any of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

HASH_HEX = 8


def identity(kind: str, settings: Mapping[str, Any]) -> str:
    """`exact` or `numeric-1a2b3c4d`: equal for equal kinds and settings, whatever the metric is called in the config.

    `settings` are those that differ from the kind's own; files stand in it by their content.

    >>> identity("exact", {}), identity("numeric", {"tolerance": 0.01}) == identity("numeric", {"tolerance": 0.02})
    ('exact', False)
    """
    return f"{kind}-{digest(settings)}" if settings else kind


def digest(settings: Mapping[str, Any]) -> str:
    """The first 8 hex digits of the SHA-256 of the settings."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_HEX]
