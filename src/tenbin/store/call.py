"""One upstream call as the ledger remembers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenbin.store.records import Status
from tenbin.types import Usage

CALL_SELECT = """
SELECT c.at, c.rowid, c.request_id, c.call_no, c.at, c.worker, c.key_id, c.profile, c.endpoint, c.asked_model,
  c.candidate, c.decision_id, c.reserve_usd, c.billed_usd, c.conversation, c.user, c.status, c.settled_at,
  c.http_status, c.cost_usd, c.baseline_usd, c.price_version, c.latency_s, c.first_token_s, c.fallbacks,
  c.response_id, c.failure, t.prompt, t.answer, c.texts, c.input_tokens, c.output_tokens, c.cached_tokens,
  c.cache_write_tokens, c.reasoning_tokens
FROM calls c LEFT JOIN texts t ON ? AND t.request_id = c.request_id AND t.call_no = c.call_no
WHERE /*where*/ ORDER BY c.at, c.rowid LIMIT ?
"""
MISSING: Mapping[str | None, str] = {
    None: "the profile did not store prompts when this was asked",
    "expired": "it was kept as long as the profile's retention_days say, and is gone",
    "deleted": "it was deleted at the user's wish",
    "stored": "it was not asked for",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a candidate: what was asked, how it ended, what it cost.

    `status` None: still open. `billed_usd` is what it counts for: its cost, or its reserve where nobody knows.
    `prompt` and `answer` are bodies as they were sent; where there is no prompt, `text_missing` says why.
    """

    request_id: str
    call_no: int
    at: float | None
    worker: str | None
    key_id: str | None
    profile: str | None
    endpoint: str | None
    asked_model: str | None
    candidate: str | None
    decision_id: str | None
    reserve_usd: float | None
    billed_usd: float
    conversation: str | None
    user: str | None
    status: Status | None
    settled_at: float | None
    http_status: int | None
    cost_usd: float | None
    baseline_usd: float | None
    price_version: str | None
    latency_s: float | None
    first_token_s: float | None
    fallbacks: int | None
    response_id: str | None
    failure: str | None
    prompt: bytes | None
    answer: bytes | None
    text_missing: str | None
    usage: Usage | None


def call_of(row: tuple[Any, ...]) -> Call:
    """A call from the columns of `CALL_SELECT` behind the first two."""
    *plain, prompt, answer, texts, input_tokens, output_tokens, cached, cache_write, reasoning = row
    usage = None
    if input_tokens is not None:
        usage = Usage(input_tokens, output_tokens, cached or 0, cache_write or 0, reasoning or 0)
    values = (*plain, prompt, answer, MISSING[texts] if prompt is None else None, usage)
    return Call(*values)
