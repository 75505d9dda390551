"""What a trace says of a request: the names of the GenAI conventions, and our own for the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenbin.gateway.incoming import Incoming
from tenbin.telemetry import names

if TYPE_CHECKING:
    from tenbin.gateway.relay import Relay

CHAT = "chat"
"""What the conventions call every operation that answers messages, whichever endpoint it came by."""
BROKEN = (500, "internal_error")
"""What a client is told, and a trace says, where a bug of ours ended a request."""


def span_name(incoming: Incoming) -> str:
    """The name of a request's span: operation and model."""
    return f"{_operation(incoming)} {incoming.model}"


def _operation(incoming: Incoming) -> str:
    return incoming.endpoint if incoming.endpoint == "embeddings" else CHAT


def error_of(relay: Relay) -> str | None:
    """Why a request failed: our own code, or how the last call did; None where it went well or the client left."""
    if relay.refused is not None:
        return relay.refused.code
    if not relay.status and not relay.exchange.is_gone:
        return BROKEN[1]
    return None if relay.call is None else relay.call.failure


def attributes_of(relay: Relay) -> dict[str, Any]:
    """The attributes of a request that is over; None where something is not known. Never a prompt."""
    work, call = relay.work, relay.call
    plan = work.plan
    found: dict[str, Any] = {
        names.OPERATION_NAME: _operation(work.incoming),
        names.REQUEST_MODEL: work.incoming.model,
        names.HTTP_STATUS: _status(relay),
        names.ENDPOINT: work.incoming.endpoint,
        names.REQUEST_ID: relay.request_id,
        names.PROFILE: plan.profile_name,
        names.DECISION_ID: plan.decision_id,
        names.DECISION_REASON: plan.code,
        names.DECISION_MU: None if plan.trade_off is None else plan.trade_off.mu,
        names.FALLBACKS: len(relay.left),
    }
    if call is not None:
        found |= {
            names.PROVIDER_NAME: call.attempt.destination.family,
            names.RESPONSE_MODEL: call.name,
            names.EXPECTED_QUALITY: call.attempt.quality,
            names.EXPECTED_COST: call.attempt.cost_usd,
            names.COST: call.cost_usd,
            names.BASELINE_COST: call.baseline_usd,
        }
    return found


def _status(relay: Relay) -> int | None:
    """What the client was told; None where it left before."""
    if relay.refused is not None:
        return relay.refused.status
    return relay.status or (None if relay.exchange.is_gone else BROKEN[0])
