"""Keys in words, tables and JSON; nothing here ever sees a secret."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from tenbin.cli.output import faint, good, table, usd
from tenbin.report.catalogue import Catalogue
from tenbin.store.keys import KeyRecord


def key_json(record: KeyRecord) -> dict[str, Any]:
    """A key as `--json` prints it; null means without limit, or all."""
    return {
        "key_id": record.key_id,
        "name": record.name,
        "profiles": record.profiles,
        "models": record.models,
        "day_usd": record.day_usd,
        "month_usd": record.month_usd,
        "requests_per_minute": record.requests_per_minute,
        "max_concurrency": record.max_concurrency,
        "created_at": _moment(record.created_at),
        "revoked_at": None if record.revoked_at is None else _moment(record.revoked_at),
    }


def limits_text(record: KeyRecord, words: Catalogue) -> str:
    """What the key may do, in one line."""
    parts = []
    if record.profiles is not None:
        parts.append(words("keys.only_profiles", names=_names(record.profiles)))
    if record.models is not None:
        parts.append(words("keys.only_models", names=_names(record.models)))
    if record.day_usd is not None:
        parts.append(words("keys.per_day", usd=usd(record.day_usd)))
    if record.month_usd is not None:
        parts.append(words("keys.per_month", usd=usd(record.month_usd)))
    if record.requests_per_minute is not None:
        parts.append(words("keys.per_minute", n=str(record.requests_per_minute)))
    if record.max_concurrency is not None:
        parts.append(words("keys.at_once", n=str(record.max_concurrency)))
    return words("keys.between").join(parts) or words("keys.unlimited")


def keys_text(records: Sequence[KeyRecord], words: Catalogue) -> str:
    """The table of keys, oldest first."""
    if not records:
        return words("keys.none")
    rows = [
        [
            record.name,
            record.key_id,
            _moment(record.created_at)[:10],
            good(words("keys.live")) if record.revoked_at is None else faint(words("keys.revoked")),
            limits_text(record, words),
        ]
        for record in records
    ]
    titles = [words("keys.name"), words("keys.id"), words("keys.since"), words("keys.state"), words("keys.limits")]
    return table(titles, rows, left=range(5))


def _names(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
