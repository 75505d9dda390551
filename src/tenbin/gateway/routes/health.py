"""`GET /health` (the process lives) and `GET /ready` (it takes requests)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tenbin.gateway.exchange import Exchange

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway


async def health(gateway: Gateway, exchange: Exchange) -> None:
    """The event loop answers."""
    del gateway
    await _say(exchange, 200, "ok")


async def ready(gateway: Gateway, exchange: Exchange) -> None:
    """503 once the gateway drains, so that a load balancer sends nobody any more."""
    await _say(exchange, *((503, "draining") if gateway.is_draining else (200, "ready")))


async def _say(exchange: Exchange, status: int, word: str) -> None:
    await exchange.answer(status, msgspec.json.encode({"status": word}))  # of which a HEAD gets the headers alone
