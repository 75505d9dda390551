"""`POST /v1/feedback`: how good an answer was, for a decision of the same key."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tenbin.errors import RequestError, StoreError, did_you_mean
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.plan import read_decision
from tenbin.gateway.routes.decisions import find
from tenbin.gateway.written_down import may_be_under_way, written_down
from tenbin.store.reader import LastCall, StoredDecision
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
    key = gateway.services.callers.admit_verdict(exchange.headers)
    decision_id, quality, source = _read(await exchange.body(MAX_BODY_BYTES, EXAMPLE))
    key_id = None if key is None else key.key_id
    stored = await find(gateway, decision_id, key_id)
    services = gateway.services
    is_first = await _is_first(services, decision_id)
    await services.ledger.record(Feedback(decision_id, time.time(), key_id, quality, source))
    if is_first and stored.document is not None:
        await _count(gateway, stored, quality)
    await exchange.answer(200, msgspec.json.encode({"decision_id": decision_id, "quality": quality}))


async def _count(gateway: Gateway, stored: StoredDecision, quality: float) -> None:
    """Let the SLA of the profile see a verdict, and the figures of the candidate that gave the answer.

    Of what another router chose nothing follows for this one, which promises anew; nor of a choice for which the caller
    had ruled out the reference, which is what the profile is held against and would retreat to.
    """
    services, shown = gateway.services, read_decision(stored)
    served = gateway.snapshot.profiles.get(stored.profile)
    is_of_now = served is not None and shown["versions"]["artifact"] == served.versions["artifact"]
    if is_of_now and not shown.get("is_narrowed", False):
        services.retreats.labelled(stored.profile, quality, stored.at)
    model = await _answered_by(services, stored)
    if model is not None:
        services.metrics.rated_answer(
            profile=stored.profile, candidate=model, expected_quality=_expected(shown, model), quality=quality
        )


async def _answered_by(services: Services, stored: StoredDecision) -> str | None:
    """Whose answer was rated: after a fallback not the first choice's; None where nobody gave one.

    Where nobody was called either, as after `/v1/decision`, it is the choice itself.
    """
    look = partial(services.reader.last_call, stored.decision_id)

    def answered() -> LastCall | None:
        found = look()
        return found if found is not None and found.status == "ok" else None

    with contextlib.suppress(StoreError):  # the verdict is written down, the figures go without it
        called = await asyncio.to_thread(look)
        if called is not None and called.status != "ok":  # or the call that was is not in the ledger yet
            await services.ledger.flush()
            is_young = may_be_under_way(stored.decision_id)  # then another worker may have made it
            found = await written_down(services.ledger, answered) if is_young else None
            called = found or await asyncio.to_thread(look)
        if called is None:
            return stored.model
        return None if called.status == "failed" else called.candidate
    return None


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


def _expected(shown: Mapping[str, Any], model: str) -> float | None:
    """The quality that a decision expected of a candidate."""
    for candidate in shown.get("candidates", ()):
        if candidate["model"] == model:
            quality = candidate["quality"]
            return None if quality is None or math.isnan(quality) else float(quality)
    return None
