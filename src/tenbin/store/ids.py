"""Names for requests and decisions."""

from __future__ import annotations

import secrets
import time


def new_id(prefix: str) -> str:
    """A fresh name "prefix-<32 hex digits>": 48 bits of milliseconds, then 80 random bits.

    Names made one after the other sort that way, so the indices of the ledger grow at their end instead of being
    written all over, which is what random names cost a B-tree.
    """
    return f"{prefix}-{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
