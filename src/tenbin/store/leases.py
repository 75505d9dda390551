"""The shares of budgets in the ledger, where workers see one another's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tenbin.store.database import transaction
from tenbin.store.period import DAY_S, Period
from tenbin.store.share import Share, give_back, lease

# Everybody else: what workers hold, and the bills of whoever holds nothing (the dead, once mended, hold nothing).
OTHERS = """
SELECT (SELECT total(granted_usd) FROM leases WHERE key_id = ?1 AND period = ?2 AND writer <> ?3)
  + (SELECT total(usd) FROM spending WHERE key_id = ?1 AND day >= ?4 AND day < ?5 AND writer <> ?3
     AND writer NOT IN (SELECT writer FROM leases WHERE key_id = ?1 AND period = ?2))
"""
BILLED = "SELECT total(usd) FROM spending WHERE key_id = ?1 AND day >= ?4 AND day < ?5"
GRANT = """
INSERT INTO leases VALUES (?, ?, ?, ?)
ON CONFLICT (key_id, period, writer) DO UPDATE SET granted_usd = excluded.granted_usd
"""

LET_GO = "DELETE FROM leases WHERE key_id = ? AND writer = ? AND period NOT IN (SELECT value FROM json_each(?))"

Refusal = Literal["spent", "held"]
"""Why a budget gives nothing: it is spent, or calls under way have set aside what is left of it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A share of the budget of one key for one period, in dollars."""

    key_id: str
    period: Period
    budget_usd: float
    share: Share


def lease_all(
    link: sqlite3.Connection, writer: str, holdings: Sequence[Holding], need: float, workers: int
) -> tuple[list[Share], list[Refusal | None]]:
    """Ask for `need` more dollars from several budgets at once: the shares after it, and what each budget refuses.

    One IMMEDIATE transaction; where one budget refuses, none grants. Errors: sqlite3.Error.
    """
    with transaction(link):
        granted: list[Share | None] = []
        for held in holdings:
            others = float(link.execute(OTHERS, place(held, writer)).fetchone()[0])
            granted.append(lease(held.share, held.budget_usd, others, need, workers))
        shares = [
            share if share is not None and None not in granted else give_back(held.share)
            for held, share in zip(holdings, granted, strict=True)
        ]
        publish(link, writer, holdings, shares)
        refusals = [
            _refusal(link, writer, held) if share is None else None
            for held, share in zip(holdings, granted, strict=True)
        ]
    return shares, refusals


def give_back_all(link: sqlite3.Connection, writer: str, holdings: Sequence[Holding]) -> list[Share]:
    """Give back what is unused. Errors: sqlite3.Error."""
    shares = [give_back(held.share) for held in holdings]
    with transaction(link):
        publish(link, writer, holdings, shares)
    return shares


def publish(link: sqlite3.Connection, writer: str, holdings: Sequence[Holding], shares: Sequence[Share]) -> None:
    """Let everybody see what this worker holds, and nothing of days and months that have ended."""
    periods = json.dumps([held.period.name for held in holdings])
    for held, share in zip(holdings, shares, strict=True):
        link.execute(LET_GO, (held.key_id, writer, periods))
        link.execute(GRANT, (held.key_id, held.period.name, writer, share.granted))


def _refusal(link: sqlite3.Connection, writer: str, held: Holding) -> Refusal:
    """Why a budget that is used up is so: its bills alone, or what nobody knows yet."""
    billed = float(link.execute(BILLED, place(held, writer)).fetchone()[0])
    return "spent" if billed >= held.budget_usd else "held"


def place(held: Holding, writer: str) -> tuple[str, str, str, int, int]:
    """The values that `OTHERS` asks for; periods are whole days, counted from 1970."""
    first, end = round(held.period.starts_at / DAY_S), round(held.period.ends_at / DAY_S)
    return held.key_id, held.period.name, writer, first, end
