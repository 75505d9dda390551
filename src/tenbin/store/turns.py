"""Who answered the latest conversations at other workers, gateways, or before a restart: by the ledger, in memory.

An index on disk over the names of conversations is written all over (a page for every call), and next to nobody asks:
so whoever asks first reads on in the ledger from where the last one stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tenbin.store.reader import Reader, Turn

MOST = 32_768
"""So many of the latest calls are known, as in the memory of a worker."""


class Turns:
    """The turns that other writers than `writer` have recorded, of the last `keep_s` seconds.

    Methods may be called in any thread. Rows come into the ledger up to a quarter of a second late.
    """

    def __init__(self, reader: Reader, writer: str, keep_s: float, *, wall: Callable[[], float] = time.time) -> None:
        self._reader = reader
        self._writer = writer
        self._keep_s = keep_s
        self._wall = wall
        self._calls: dict[str, int] = {}
        self._read_up_to = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._calls)

    def knows(self, conversation: str) -> bool:
        """Whether this one was met so far, without a look at the ledger."""
        return conversation in self._calls

    def find(self, conversation: str) -> Turn | None:
        """The turn that somebody else has answered to this conversation last, None where nobody has.

        Blocks: call it in a thread. Errors: StoreError where the ledger does not answer.
        """
        with self._lock:
            self._read_on()
            number = self._calls.get(conversation)
        return None if number is None else self._reader.turn(number, conversation)

    def _read_on(self) -> None:
        newest = self._reader.newest_call()
        if newest < self._read_up_to:  # another ledger, or one that was emptied
            self._calls.clear()
            self._read_up_to = 0
        after, since = max(self._read_up_to, newest - MOST), self._wall() - self._keep_s
        for number, name in self._reader.conversations(after, newest, since=since, but=self._writer):
            self._calls.pop(name, None)  # the latest calls stand last
            self._calls[name] = number
        self._read_up_to = newest
        while len(self._calls) > MOST:
            del self._calls[next(iter(self._calls))]
