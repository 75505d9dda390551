"""What the gateway writes down: a decision, the intent before a call, its settlement, a verdict on quality.

The structs are arrays on disk, in the order of their fields. New fields go at the end and have a default, so that
a journal of an older Tenbin stays readable; a field is never moved or removed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tenbin.types import Usage

Status = Literal["ok", "failed", "cancelled", "unknown"]
"""How a call ended; `unknown` means that nobody lived to see the end, or that its price cannot be known."""


class Decided(msgspec.Struct, frozen=True, array_like=True, tag="decided"):
    """A decision as it was made: `document` is its JSON, given back byte for byte by `Reader.decision`.

    Of a request that named its model itself there is none: its intent says as much.
    """

    decision_id: str
    at: float
    key_id: str | None
    profile: str
    model: str
    document: bytes


class Intent(msgspec.Struct, frozen=True, array_like=True, tag="intent"):
    """A call that is about to be made to a candidate; durable before the first byte goes upstream.

    `call_no` counts the calls of one request from 0; `at` is Unix time; `reserve_usd` is what the call may cost at
    most. `conversation` is a hash; `prompt` is the body as the client sent it, only where the profile stores prompts.
    Of the first `strips_before` messages other models' state was taken out (None: of none).
    """

    request_id: str
    call_no: int
    at: float
    worker: str
    key_id: str | None
    profile: str | None
    endpoint: str
    asked_model: str
    candidate: str
    decision_id: str | None = None
    reserve_usd: float = 0.0
    conversation: str | None = None
    user: str | None = None
    prompt: bytes | None = None
    strips_before: int | None = None


class Settled(msgspec.Struct, frozen=True, array_like=True, tag="settled"):
    """How a call ended and what it cost.

    `cost_usd` None: nobody knows; then a failed call is billed at 0 and any other at its reserve. `baseline_usd` is
    what the reference would have cost, or did. `price_version` names the book that priced it. `fallbacks` counts the
    candidates that were tried before this one.
    """

    request_id: str
    call_no: int
    at: float
    status: Status
    http_status: int | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    baseline_usd: float | None = None
    price_version: str | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    fallbacks: int = 0
    response_id: str | None = None
    failure: str | None = None
    answer: bytes | None = None


class Feedback(msgspec.Struct, frozen=True, array_like=True, tag="feedback"):
    """A verdict on the answer that came of a decision: `quality` in [0, 1], `source` says who judged."""

    decision_id: str
    at: float
    key_id: str | None
    quality: float
    source: str = "client"


Record = Decided | Intent | Settled | Feedback


def without_texts(record: Record) -> Record:
    """The same without the prompt or the answer, which may be far longer than the rest."""
    if isinstance(record, Intent):
        return msgspec.structs.replace(record, prompt=None)
    return msgspec.structs.replace(record, answer=None) if isinstance(record, Settled) else record
