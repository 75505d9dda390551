"""The real gateway as a process, and many clients in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.gateway.running import EASY, HARD
from tests.gateway.serving import Serving


def tenbin_serve(config: Path, workers: int = 1) -> Serving:
    """`tenbin serve`, not ready yet."""
    command = [sys.executable, "-m", "tenbin", "serve", str(config), "--workers", str(workers)]
    return Serving(command, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


class Crowd:
    """Clients that ask one after the other, each request with a `user` of its own, until they are stopped.

    `asked` are the users in order, `heard` those whose answer came whole, by HTTP status.
    """

    def __init__(self, url: str, name: str, *, key: str | None = None) -> None:
        self.url = url
        self.name = name
        self.headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self.asked: list[str] = []
        self.heard: dict[str, int] = {}

    async def ask(self, session: aiohttp.ClientSession, *, is_stream: bool, text: str) -> None:
        """One request; a connection that breaks is what may happen here."""
        user = f"{self.name}-{len(self.asked)}"
        self.asked.append(user)
        body = {
            "model": "tenbin/auto",
            "user": user,
            "stream": is_stream,
            "messages": [{"role": "user", "content": f"{text} {user}"}],
        }
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with session.post(f"{self.url}/v1/chat/completions", json=body, headers=self.headers) as answer:
                heard = await answer.read()
                if not is_stream or answer.status != 200 or b"[DONE]" in heard:
                    self.heard[user] = answer.status

    async def run(self, clients: int, seconds: float) -> None:
        """Ask with so many clients for so long, half of them for streams, easy and hard questions."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds

        async def one(number: int) -> None:
            while loop.time() < until:
                text = (EASY, HARD)[(number // 2) % 2]
                await self.ask(session, is_stream=bool(number % 2), text=text)

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60.0)) as session:
            await asyncio.gather(*(one(i) for i in range(clients)))


async def gathered(url: str, bodies: Sequence[Any], *, key: str | None = None) -> list[tuple[int, bytes]]:
    """The answers to chat requests that are all sent at once, each on a connection of its own."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    connector = aiohttp.TCPConnector(limit=0, force_close=True)

    async def one(session: aiohttp.ClientSession, body: Any) -> tuple[int, bytes]:
        async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as answer:
            return answer.status, await answer.read()

    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60.0)) as session:
        return await asyncio.gather(*(one(session, body) for body in bodies))
