"""The floor: the least that a proxy in Python can do. Raw ASGI on uvicorn, aiohttp towards the upstream, nothing else.

    python -m bench.floor --port 9101 --upstream http://127.0.0.1:9100

Method, path, headers and body are forwarded, the answer's status, headers and chunks come back as they arrive. It has
no keys, no decision, no ledger, no limits, no fallback: what a gateway costs is told as a multiple of this.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import uvicorn
from yarl import URL

Message = MutableMapping[str, Any]
OWN = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding"})


class Floor:
    """An ASGI application that forwards to one upstream."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        url = URL(self.upstream + scope["raw_path"].decode(), encoded=True)
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"] if name not in OWN]
        async with self.session.request(scope["method"], url, data=b"".join(parts), headers=headers) as reply:
            given = [(name, value) for name, value in reply.raw_headers if name.lower() not in OWN]
            if reply.content_length is not None:
                given.append((b"content-length", b"%d" % reply.content_length))
            await send({"type": "http.response.start", "status": reply.status, "headers": given})
            async for chunk in reply.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def live(self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        """Open the client at the start and close it at the end."""
        await receive()
        connector = aiohttp.TCPConnector(limit=0)
        self.session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.session.close()
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    given = parser.parse_args()
    uvicorn.run(
        Floor(given.upstream),
        host="127.0.0.1",
        port=given.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
