"""`POST /v1/decision`: decide and do not call, for those who keep a gateway of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from tenbin.gateway.asked import asked_of
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.incoming import read_anthropic, read_chat
from tenbin.gateway.members import read_members
from tenbin.gateway.plan import read_document
from tenbin.gateway.planner import Asking
from tenbin.gateway.routes.relayed import served_of
from tenbin.store.records import Decided

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway


async def decide_only(gateway: Gateway, exchange: Exchange) -> None:
    """The body is a request to chat completions (or to messages: it has `system`); the answer is the whole decision."""
    services, snapshot = gateway.services, gateway.snapshot
    caller = services.callers.admit(exchange.headers)
    try:
        body = await exchange.body(snapshot.settings.max_body_bytes)
        incoming = read_anthropic(body) if "system" in read_members(body) else read_chat(body)
        served = served_of(snapshot, caller, incoming.model)
        asked = asked_of(incoming.asked, exchange.headers)
        began = time.perf_counter()
        retreat = services.retreats.of(served.profile.name)
        pace = services.pacers.of(served.profile.name)
        plan = await services.planner.routed(
            Asking(snapshot, incoming, caller, asked, retreat, time.monotonic(), pace), served
        )
        services.planned(plan, caller.key_id, time.perf_counter() - began)
    finally:
        caller.release()
    now = time.time()
    document = plan.document(now)
    model = plan.attempts[0].destination.candidate.name
    services.ledger.post(Decided(plan.decision_id, now, caller.key_id, served.profile.name, model, document))
    await exchange.answer(200, msgspec.json.encode(read_document(document)))
