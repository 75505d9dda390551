"""Names for requests and decisions."""

from __future__ import annotations

import random
import time


def new_id(prefix: str) -> str:
    """A fresh name "prefix-<32 hex digits>": 48 bits of milliseconds, then 80 random bits.

    Names made one after the other sort that way, so the indices of the ledger grow at their end instead of being
    written all over, which is what random names cost a B-tree. A name is unlike every other one, not secret: asking the
    system for its randomness would take twenty times as long.
    """
    number = time.time_ns() // 1_000_000 << 80 | random.getrandbits(80)
    return f"{prefix}-{number.to_bytes(16, 'big').hex()}"


def made_at(name: str) -> float | None:
    """When a name of ours was made (Unix seconds); None for any other name."""
    digits = name.rpartition("-")[2]
    if len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    return int(digits[:12], 16) / 1000.0
