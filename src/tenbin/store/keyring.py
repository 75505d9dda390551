"""The keys as the hot path sees them: a dict in memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from tenbin.errors import StoreError
from tenbin.store.database import open_database, open_reader, told
from tenbin.store.folder import StoreFolder
from tenbin.store.keys import KEYS, KeyRecord, read_keys, secret_hash

BUSY_S = 1.0
FOLLOW_S = 0.5


class KeyRing:
    """A snapshot of the keys in use, kept fresh by `follow`; an unreachable store keeps the last snapshot.

    `is_loaded` is False until the keys have been read once: till then a wrong key cannot be told from a right one.
    """

    def __init__(self, folder: Path) -> None:
        self.store = StoreFolder(Path(folder))
        self.is_loaded = False
        self._keys: Mapping[bytes, KeyRecord] = {}
        self._link: sqlite3.Connection | None = None
        self._seen: tuple[int, int, int] | None = None
        self._log = logging.getLogger("tenbin.store")

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, secret: str) -> KeyRecord | None:
        """The key with this secret, None for a wrong or revoked one: one hash and one look-up either way.

        The look-up's time says nothing of use: it depends on the hash, which nobody can steer towards a stored one.
        """
        return self._keys.get(secret_hash(secret))

    def refresh(self) -> bool:
        """Read the keys again if they have changed; True if so. Blocks for a moment: call it off the event loop.

        Errors: StoreError where the store does not answer; the keys stay as they were.
        """
        try:
            with told(self.store.keys):
                return self._refresh()
        except StoreError:
            self._drop_link()
            raise

    async def follow(self) -> None:
        """Refresh for ever, so that keys made or revoked by others count within a second; run it as a task."""
        is_away = False
        while True:
            try:
                await asyncio.to_thread(self.refresh)
                if is_away:
                    self._log.warning("the keys can be read again")
                is_away = False
            except Exception as error:  # whatever it is, a revoked key must not stay in force for good
                if not is_away:
                    unforeseen = not isinstance(error, StoreError)
                    said = "the keys cannot be read, the last ones stay in force: %s"
                    self._log.error(said, error, exc_info=unforeseen)
                is_away = True
            await asyncio.sleep(FOLLOW_S)

    def _refresh(self) -> bool:
        size = 0
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self.store.keys)
            size = found.st_size
            if self._link is not None and self._seen is not None and self._seen[:2] != (found.st_dev, found.st_ino):
                self._drop_link()
        if size == 0:
            # Deleted or emptied under a running gateway: an outage of the store, not a revocation of every key.
            if self.is_loaded:
                raise StoreError("the keys are gone", where=str(self.store.keys))
            self.store.create()
        if self._link is None:
            # Making or upgrading the file may fail on a read-only disk, where reading it does not.
            with contextlib.suppress(StoreError):
                open_database(self.store.keys, KEYS, busy_s=BUSY_S).close()
            self._link = open_reader(self.store.keys, KEYS, busy_s=BUSY_S)
        # The counter is read before the keys: a change in between is seen the next time.
        version = int(self._link.execute("PRAGMA data_version").fetchone()[0])
        found = os.stat(self.store.keys)
        seen = (found.st_dev, found.st_ino, version)
        if seen == self._seen:
            return False
        self._keys = {hashed: record for record, hashed in read_keys(self._link) if record.revoked_at is None}
        self._seen = seen
        self.is_loaded = True
        return True

    def _drop_link(self) -> None:
        self._seen = None
        if self._link is not None:
            self._link.close()
            self._link = None
