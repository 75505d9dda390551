"""What a host's name stands for, asked once for all connections that are made at the same time, kept for a minute."""

from __future__ import annotations

import asyncio
import socket

KEPT_S = 60.0
MAX_HOSTS = 1024


class Addresses:
    """The addresses of hosts, as the system resolves them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._found: dict[tuple[str, int], tuple[float, asyncio.Task[list[str]]]] = {}

    async def of(self, host: str, port: int) -> list[str]:
        """All addresses in the system's order. Raises OSError (socket.gaierror) where there are none."""
        now = self._loop.time()
        kept = self._found.get((host, port))
        if kept is None or kept[0] < now or (kept[1].done() and (kept[1].cancelled() or kept[1].exception())):
            if len(self._found) >= MAX_HOSTS:
                self._found.clear()
            kept = self._found[host, port] = now + KEPT_S, self._loop.create_task(self._ask(host, port))
        # Whoever leaves must not take the answer away from the others.
        return await asyncio.shield(kept[1])

    async def _ask(self, host: str, port: int) -> list[str]:
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))
