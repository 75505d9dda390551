"""What a trace says of a request: the names of the GenAI conventions, and our own for the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenbin.telemetry import names

if TYPE_CHECKING:
    from tenbin.gateway.relay import Relay


def attributes_of(relay: Relay) -> dict[str, Any]:
    """The attributes of a request that is over; None where something is not known. Never a prompt."""
    work, call = relay.work, relay.call
    plan = work.plan
    found: dict[str, Any] = {
        names.OPERATION_NAME: work.incoming.endpoint,
        names.REQUEST_MODEL: work.incoming.model,
        names.HTTP_STATUS: relay.status or None,
        names.REQUEST_ID: relay.request_id,
        names.PROFILE: plan.profile_name,
        names.DECISION_ID: plan.decision_id,
        names.DECISION_REASON: plan.code,
        names.DECISION_MU: None if plan.trade_off is None else plan.trade_off.mu,
        names.BASELINE_COST: plan.baseline_usd,
        names.FALLBACKS: len(relay.left),
    }
    if call is not None:
        found |= {
            names.PROVIDER_NAME: call.attempt.destination.family,
            names.RESPONSE_MODEL: call.name,
            names.EXPECTED_QUALITY: call.attempt.quality,
            names.EXPECTED_COST: call.attempt.cost_usd,
            names.COST: call.cost_usd,
        }
    return found
