"""What the ledger says of a name, where another worker's row of it may still be under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from tenbin.errors import StoreError
from tenbin.store.ids import made_at
from tenbin.store.ledger import Ledger

UNDER_WAY_S = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Between looks for a row of another worker: it is in after a quarter of a second, that of a dead one after two."""
T = TypeVar("T")


async def written_down(ledger: Ledger, look: Callable[[], T | None]) -> T | None:
    """What `look` (which reads the ledger, in a thread) finds, None where nothing is on its way either.

    Errors: StoreError where the ledger cannot be read, or rows of this worker wait in the journal.
    """
    for wait_s in UNDER_WAY_S:
        if (found := await asyncio.to_thread(look)) is not None:
            return found
        if ledger.is_degraded:
            raise StoreError("rows wait in the journal", where=str(ledger.store.ledger))
        if await asyncio.to_thread(ledger.is_alone):
            return None
        await asyncio.sleep(wait_s)
    return await asyncio.to_thread(look)


def may_be_under_way(name: str) -> bool:
    """Whether a name is one of ours and so young that its row may be under way; an older one's is there, or nowhere."""
    made = made_at(name)
    return made is not None and abs(time.time() - made) <= 2.0 * sum(UNDER_WAY_S)
