"""`POST /v1/feedback`: how good an answer was, for a decision of the same key."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import msgspec

from tenbin.errors import RequestError, did_you_mean
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.plan import read_decision
from tenbin.gateway.routes.decisions import find
from tenbin.store.reader import StoredDecision
from tenbin.store.records import Feedback

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway
    from tenbin.gateway.services import Services

MAX_BODY_BYTES = 16 << 10
MAX_TEXT = 200
EXAMPLE = 'send {"decision_id": ..., "quality": 0.8}'
FIELDS = ("decision_id", "quality", "source")


async def take(gateway: Gateway, exchange: Exchange) -> None:
    """Write the verdict down; the profile's SLA and the figures see the first on each decision.

    Else one key could make a profile retreat with one decision, and whoever sends again would count twice.
    """
    key = gateway.services.callers.identify(exchange.headers)
    decision_id, quality, source = _read(await exchange.body(MAX_BODY_BYTES, EXAMPLE))
    key_id = None if key is None else key.key_id
    stored = await find(gateway, decision_id, key_id)
    services = gateway.services
    is_first = await _is_first(services, decision_id)
    await services.ledger.record(Feedback(decision_id, time.time(), key_id, quality, source))
    if is_first:
        services.retreats.labelled(stored.profile, quality)
        services.metrics.rated_answer(
            profile=stored.profile, candidate=stored.model, expected_quality=_expected(stored), quality=quality
        )
    await exchange.answer(200, msgspec.json.encode({"decision_id": decision_id, "quality": quality}))


async def _is_first(services: Services, decision_id: str) -> bool:
    """Whether nobody has rated this decision yet: here lately, or ever as far as the ledger knows."""
    is_known = services.rated.get(decision_id) is not None
    services.rated.put(decision_id, True)  # before anything is awaited: the same may come twice at once
    return not is_known and not await asyncio.to_thread(services.reader.is_rated, decision_id)


def _read(body: bytes) -> tuple[str, float, str]:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, "invalid_json", f"the body is no JSON ({error})", fix="send an object") from None
    if not isinstance(said, dict):
        raise RequestError(400, "invalid_json", "the body is no object", fix=EXAMPLE)
    for name in said:
        if name not in FIELDS:
            fix = did_you_mean(name, FIELDS) or f"known: {', '.join(FIELDS)}"
            raise RequestError(
                400, "unknown_field", f'unknown member "{name[:MAX_TEXT]}"', param=name[:MAX_TEXT], fix=fix
            )
    decision_id, quality, source = said.get("decision_id"), said.get("quality"), said.get("source", "client")
    if not isinstance(decision_id, str) or not 0 < len(decision_id) <= MAX_TEXT:
        raise RequestError(
            400, "invalid_type", "decision_id is no text", param="decision_id", fix="see x-tenbin-decision-id"
        )
    if isinstance(quality, bool) or not isinstance(quality, int | float) or not 0.0 <= quality <= 1.0:
        raise RequestError(400, "invalid_value", "quality is no number in [0, 1]", param="quality", fix="send e.g. 0.8")
    if not isinstance(source, str) or not 0 < len(source) <= MAX_TEXT:
        raise RequestError(400, "invalid_type", "source is no short text", param="source", fix='send e.g. "thumbs"')
    return decision_id, float(quality), source


def _expected(stored: StoredDecision) -> float | None:
    """The quality that the decision expected of the model it chose."""
    for candidate in read_decision(stored).get("candidates", ()):
        if candidate["model"] == stored.model:
            quality = candidate["quality"]
            return None if quality is None or math.isnan(quality) else float(quality)
    return None
