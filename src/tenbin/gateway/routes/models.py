"""`GET /v1/models`: what may be named as a model: `tenbin/auto`, the profiles, the candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tenbin.config.candidates import PROFILES_PREFIX
from tenbin.errors import RequestError
from tenbin.gateway.caller import Caller
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.target import names

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway

PATH = "/v1/models/"
UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""What Anthropic's API gives where it does not know when a model was released."""


async def listed(gateway: Gateway, exchange: Exchange) -> None:
    """Every model that the key may name."""
    offered = _names(gateway, exchange)
    data = [_shown(gateway, name) for name in offered]
    ends = {"first_id": offered[0] if offered else None, "last_id": offered[-1] if offered else None}
    await exchange.answer(200, msgspec.json.encode({"object": "list", "data": data, "has_more": False, **ends}))


async def one(gateway: Gateway, exchange: Exchange) -> None:
    """One of them; RequestError 404 for any other."""
    name = exchange.path.removeprefix(PATH)
    if name not in _names(gateway, exchange):
        raise RequestError(404, "model_not_found", f'there is no model "{name[:100]}" here', fix="see GET /v1/models")
    await exchange.answer(200, msgspec.json.encode(_shown(gateway, name)))


def _names(gateway: Gateway, exchange: Exchange) -> list[str]:
    return names(gateway.snapshot, Caller(gateway.services.callers.identify(exchange.headers)))


def _shown(gateway: Gateway, name: str) -> dict[str, Any]:
    """A line that clients of both dialects read."""
    destination = gateway.snapshot.destinations.get(name)
    owner = "tenbin" if name.startswith(PROFILES_PREFIX) or destination is None else destination.family
    openai = {"id": name, "object": "model", "created": 0, "owned_by": owner}
    return {**openai, "type": "model", "display_name": name, "created_at": UNKNOWN_DATE}
