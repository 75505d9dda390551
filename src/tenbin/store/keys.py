"""Virtual keys: what a client shows instead of a provider's key, and what it may do with it."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.config.values import quoted, shown
from tenbin.errors import UsageError, did_you_mean
from tenbin.store.database import Schema, open_database, told, transaction
from tenbin.store.folder import StoreFolder

# A file of its own: a ledger that is locked or broken must not turn good keys away, and every commit to this file
# is a change of keys, so others notice by its counter alone.
KEYS = Schema(
    (
        """
CREATE TABLE keys (
  key_id TEXT PRIMARY KEY, name TEXT NOT NULL, secret_hash BLOB NOT NULL UNIQUE, profiles TEXT, models TEXT,
  day_usd REAL, month_usd REAL, requests_per_minute INTEGER, max_concurrency INTEGER,
  created_at REAL NOT NULL, revoked_at REAL)

CREATE UNIQUE INDEX live_names ON keys (name) WHERE revoked_at IS NULL
""",
    ),
    "DELETE",
)
BUSY_S = 5.0
COLUMNS = (
    "key_id, name, profiles, models, day_usd, month_usd, requests_per_minute, max_concurrency, created_at, revoked_at"
)
LIST = "".join(("SELECT ", COLUMNS, ", secret_hash FROM keys ORDER BY created_at, key_id"))


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


def create_key(
    folder: Path,
    name: str,
    *,
    profiles: Iterable[str] | None = None,
    models: Iterable[str] | None = None,
    day_usd: float | None = None,
    month_usd: float | None = None,
    requests_per_minute: int | None = None,
    max_concurrency: int | None = None,
    known_profiles: Collection[str] | None = None,
    known_models: Collection[str] | None = None,
) -> tuple[str, KeyRecord]:
    """Make a key; its secret, "tb-" and 256 random bits, is given back here and never again.

    `known_…`: what the configuration names; None leaves names unchecked. Errors: UsageError for a name that is taken
    or cannot be one, an unknown profile or model, a limit that is not positive; StoreError.
    """
    record = KeyRecord(
        key_id=f"key_{secrets.token_hex(8)}",
        name=checked_name(name),
        profiles=checked_list("profile", profiles, known_profiles),
        models=checked_list("model", models, known_models),
        day_usd=checked_money("day_usd", day_usd),
        month_usd=checked_money("month_usd", month_usd),
        requests_per_minute=checked_count("requests_per_minute", requests_per_minute),
        max_concurrency=checked_count("max_concurrency", max_concurrency),
        created_at=time.time(),
    )
    secret = "tb-" + secrets.token_urlsafe(32)
    with keys_database(folder) as link, transaction(link):
        if link.execute("SELECT 1 FROM keys WHERE name = ? AND revoked_at IS NULL", (record.name,)).fetchone():
            fix = "take another name, or revoke that key first"
            raise UsageError(f'there is a key named "{record.name}" already', fix=fix)
        row = (
            record.key_id,
            record.name,
            secret_hash(secret),
            written_list(record.profiles),
            written_list(record.models),
            record.day_usd,
            record.month_usd,
            record.requests_per_minute,
            record.max_concurrency,
            record.created_at,
        )
        link.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", row)
    return secret, record


def list_keys(folder: Path) -> tuple[KeyRecord, ...]:
    """Every key, the revoked ones too, oldest first. Errors: StoreError."""
    if not StoreFolder(folder).keys.exists():
        return ()
    with keys_database(folder) as link:
        return tuple(record for record, _ in read_keys(link))


def revoke_key(folder: Path, key: str) -> KeyRecord:
    """End a key, named by its id or its name; requests under way finish. Errors: UsageError for no such key."""
    with keys_database(folder) as link, transaction(link):
        live = [record for record, _ in read_keys(link) if record.revoked_at is None]
        found = next((record for record in live if key in {record.key_id, record.name}), None)
        if found is None:
            fix = did_you_mean(key, [record.name for record in live]) or "see 'tenbin keys list'"
            raise UsageError(f"there is no key {quoted(key)} in use", fix=fix)
        link.execute("UPDATE keys SET revoked_at = ? WHERE key_id = ?", (time.time(), found.key_id))
        return next(record for record, _ in read_keys(link) if record.key_id == found.key_id)


def secret_hash(secret: str) -> bytes:
    """What is stored of a secret.

    Plain SHA-256 is enough here: slow, salted hashes protect words that people think up, but nobody searches 256
    random bits; and it is computed for every request.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@contextmanager
def keys_database(folder: Path) -> Iterator[sqlite3.Connection]:
    """The open database of keys, made where it is missing."""
    store = StoreFolder(Path(folder))
    store.create()
    with closing(open_database(store.keys, KEYS, busy_s=BUSY_S)) as link, told(store.keys):
        yield link


def read_keys(link: sqlite3.Connection) -> Iterator[tuple[KeyRecord, bytes]]:
    """Every key and the hash of its secret, oldest first."""
    for key_id, name, profiles, models, *rest, hashed in link.execute(LIST):
        yield KeyRecord(key_id, name, read_list(profiles), read_list(models), *rest), hashed


def read_list(text: str | None) -> frozenset[str] | None:
    """The names of a stored list, None where there is none."""
    return None if text is None else frozenset(json.loads(text))


def written_list(names: frozenset[str] | None) -> str | None:
    """A list of names as it is stored."""
    return None if names is None else json.dumps(sorted(names))


def checked_name(name: str) -> str:
    """A name of 1 to 64 printable characters. Errors: UsageError."""
    if not 0 < len(name) <= 64 or not name.isprintable() or name != name.strip():
        raise UsageError(f"{quoted(name)} cannot name a key", fix="take 1 to 64 printable characters")
    return name


def checked_list(noun: str, names: Iterable[str] | None, known: Collection[str] | None) -> frozenset[str] | None:
    """The names a key may use. Errors: UsageError for an empty list or a name that is not known."""
    if names is None:
        return None
    chosen = frozenset(names)
    if not chosen or "" in chosen:
        raise UsageError(f"the key may use no {noun}", fix=f"name a {noun}, or leave the list out to allow all")
    for name in sorted(chosen):
        if known is not None and name not in known:
            fix = did_you_mean(name, known) or f"the configuration has {', '.join(sorted(known)) or 'none'}"
            raise UsageError(f"there is no {noun} {quoted(name)}", fix=fix)
    return chosen


def checked_money(what: str, usd: Any) -> float | None:
    """A budget in dollars, above 0. Errors: UsageError."""
    if usd is None:
        return None
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not math.isfinite(usd) or usd <= 0:
        raise UsageError(f"{what} is {shown(usd)}, not dollars above 0", fix="leave it out for no limit")
    return float(usd)


def checked_count(what: str, count: Any) -> int | None:
    """A whole number above 0. Errors: UsageError."""
    if count is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < 1 << 53:
        raise UsageError(f"{what} is {shown(count)}, not a whole number above 0", fix="leave it out for no limit")
    return count
