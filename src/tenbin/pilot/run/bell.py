"""Tells waiting coroutines that something has changed."""

from __future__ import annotations

import asyncio
import math


class Bell:
    """Whoever waits is woken by the next ring; a ring that nobody waits for is not kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, timeout_s: float = math.inf) -> None:
        """Wait for the next ring, or so many seconds."""
        event = self._event
        try:
            async with asyncio.timeout(None if timeout_s == math.inf else max(timeout_s, 0.0)):
                await event.wait()
        except TimeoutError:
            pass
