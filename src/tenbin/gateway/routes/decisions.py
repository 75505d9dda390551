"""`GET /v1/decisions/ID`: a decision whole, for the key that it was made for."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tenbin.errors import RequestError, StoreError
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.plan import read_decision
from tenbin.gateway.written_down import may_be_under_way, written_down
from tenbin.store.reader import StoredDecision

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway

PREFIX = "/v1/decisions/"


async def shown(gateway: Gateway, exchange: Exchange) -> None:
    """The decision named by the path."""
    key = gateway.services.callers.identify(exchange.headers)
    stored = await find(gateway, exchange.path.removeprefix(PREFIX), None if key is None else key.key_id)
    await exchange.answer(200, msgspec.json.encode(read_decision(stored)))


async def find(gateway: Gateway, decision_id: str, key_id: str | None) -> StoredDecision:
    """A stored decision of this key; RequestError 404 for another key's alike, so that nobody learns which exist."""
    ledger = gateway.services.ledger
    look = partial(gateway.services.reader.decision, decision_id)
    try:
        stored = await asyncio.to_thread(look)
        if stored is None:
            await ledger.flush()
            is_young = may_be_under_way(decision_id)  # then another worker may have made it
            stored = await (written_down(ledger, look) if is_young else asyncio.to_thread(look))
    except StoreError:
        what = "the ledger cannot be read at the moment"
        raise RequestError(503, "ledger_unavailable", what, fix="try again", retry_after_s=5.0) from None
    if stored is None or stored.key_id != key_id:
        raise RequestError(404, "decision_not_found", "this key has no such decision", fix="see x-tenbin-decision-id")
    return stored
