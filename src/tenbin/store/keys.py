"""Virtual keys: what a client shows instead of a provider's key, and what it may do with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A virtual key without its secret.

    `profiles` and `models` are what it may name, None: all. Money per UTC day and month in dollars, requests per
    minute, requests at once: None is without limit. Times are Unix seconds.
    """

    key_id: str
    name: str
    profiles: frozenset[str] | None
    models: frozenset[str] | None
    day_usd: float | None
    month_usd: float | None
    requests_per_minute: int | None
    max_concurrency: int | None
    created_at: float
    revoked_at: float | None = None
