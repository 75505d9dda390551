"""Budgets on the hot path: a reserve before the call and the truth after it, in memory, from leased shares."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tenbin.errors import StoreError
from tenbin.store.account import Account, Reservation, Standing
from tenbin.store.database import open_database, told
from tenbin.store.folder import StoreFolder
from tenbin.store.keys import KeyRecord
from tenbin.store.leases import give_back_all, lease_all
from tenbin.store.mending import mend
from tenbin.store.period import ForwardClock
from tenbin.store.schema import LEDGER

BUSY_S = 0.5
# After a refusal or an outage nobody is asked again for so long: other workers' settlements are not that fast, and a
# spent key must not hammer the database.
PATIENCE_S = 0.2
OUTAGE_S = 1.0
T = TypeVar("T")


class Budgets:
    """The budgets of all keys as one worker sees them; `writer` is `Ledger.writer`, `workers` how many share them.

    Every method belongs to the thread of the event loop. What has been spent is read from the ledger, so restarts
    forget nothing. While the ledger does not answer, each worker goes on up to its equal part of what was left.
    """

    def __init__(self, folder: Path, writer: str, workers: int, *, wall: Callable[[], float] = time.time) -> None:
        self.store = StoreFolder(Path(folder))
        self.writer = writer
        self.workers = workers
        self._clock = ForwardClock(wall)
        self._accounts: dict[str, Account] = {}
        self._thread = ThreadPoolExecutor(1, "tenbin-budgets")
        self._link: sqlite3.Connection | None = None
        self._inode = 0
        self._away_since = -OUTAGE_S
        self._log = logging.getLogger("tenbin.store")

    async def reserve(self, key: KeyRecord, usd: float) -> Reservation | None:
        """Set aside what a call may cost at most; None: the budget of the day or the month has nothing left.

        In memory while the leased share lasts, else one transaction in a thread.
        """
        if key.day_usd is None and key.month_usd is None:
            return Reservation(0.0, ())
        usd = usd if usd > 0.0 else 0.0
        account = self._account(key)
        if not account.lock.locked() and account.has_room(usd):
            return account.reserve(usd)
        async with account.lock:
            account.turn(self._clock.now())
            if account.has_room(usd):
                return account.reserve(usd)
            now = time.monotonic()
            if now < account.refused_until:
                return None
            is_allowed = account.goes_on_alone()
            if now >= self._away_since + OUTAGE_S:
                try:
                    is_allowed = await self._lease(account, usd)
                except StoreError as error:
                    self._log.warning("budgets cannot be shared, this worker goes on with its part: %s", error)
                    self._away_since = time.monotonic()
            if is_allowed:
                return account.reserve(usd)
            account.refused_until = time.monotonic() + PATIENCE_S
            return None

    def settle(self, reservation: Reservation, usd: float) -> None:
        """Replace a reserve by what the call has cost in dollars; a second time changes nothing."""
        reservation.settle(usd if usd > 0.0 else 0.0)

    def standing(self, key: KeyRecord) -> tuple[Standing, ...]:
        """What is known here of a key's budgets, for the words of a refusal."""
        return self._account(key).standing()

    async def tend(self, interval_s: float = 1.0) -> None:
        """For ever: show others what was spent beyond a grant, and give back shares that lie idle; run it as a task."""
        while True:
            await asyncio.sleep(interval_s)
            for account in list(self._accounts.values()):
                if not account.lock.locked() and account.wants_tending():
                    try:
                        await self._tend(account)
                    except StoreError:
                        # Reserving says so in the log; the next look tries again.
                        break

    def close(self) -> None:
        """End the thread; the leases are freed when the ledger of this worker closes."""
        self._thread.shutdown(wait=True)
        if self._link is not None:
            self._link.close()
            self._link = None

    def _account(self, key: KeyRecord) -> Account:
        account = self._accounts.get(key.key_id)
        if account is None:
            account = self._accounts[key.key_id] = Account(key, self._clock.now(), self.workers)
        elif not account.lock.locked():
            account.turn(self._clock.now())
        return account

    async def _lease(self, account: Account, usd: float) -> bool:
        """Ask the ledger for more; whether it gives. Errors: StoreError."""
        held = account.holdings()
        shares, refusals = await self._ask(lambda link: lease_all(link, self.writer, held, usd, self.workers))
        account.take(held, shares, refusals)
        return not any(refusals)

    async def _tend(self, account: Account) -> None:
        async with account.lock:
            held = account.holdings()
            shares = await self._ask(lambda link: give_back_all(link, self.writer, held))
            account.take(held, shares, [slot.refusal for slot in account.slots])

    async def _ask(self, step: Callable[[sqlite3.Connection], T]) -> T:
        """Do a step on the ledger in the thread. Errors: StoreError."""
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._thread, self._do, step)
        except RuntimeError as error:
            raise StoreError(f"there is no thread to ask in: {error}", where=str(self.store.ledger)) from error
        return await asked

    def _do(self, step: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with told(self.store.ledger):
                if self._link is not None and os.stat(self.store.ledger).st_ino != self._inode:
                    raise FileNotFoundError(2, "the ledger was replaced")
                if self._link is None:
                    # What a worker before us has spent counts in full only once its journal is in the ledger.
                    mend(self.store.path)
                    self._link = open_database(self.store.ledger, LEDGER, busy_s=BUSY_S)
                    self._inode = os.stat(self.store.ledger).st_ino
                return step(self._link)
        except StoreError:
            if self._link is not None:
                self._link.close()
                self._link = None
            raise
