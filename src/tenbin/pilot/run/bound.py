"""The most that one call may cost, known before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenbin.prices.rates import Rates
from tenbin.types import Candidate, Message, Usage

DEFAULT_CAP_TOKENS = 4096
"""The output cap of a candidate without `max_output_tokens`; it is sent, so that the bound is one."""
CALL_TOKENS = 256
"""What a provider may wrap around any request."""
MESSAGE_TOKENS = 16
"""What it may wrap around each message."""
ATTACHMENT_TOKENS = 50_000
"""What a picture or a file may be counted at that is only named by its address (a large picture at OpenAI: 48,169)."""


def cap_tokens(candidate: Candidate) -> int:
    """The output cap that is sent with every call of this candidate."""
    return candidate.max_output_tokens or DEFAULT_CAP_TOKENS


def input_bound_tokens(messages: Sequence[Message]) -> int:
    """An upper bound of the input tokens: no vocabulary has a token for less than one byte of text.

    Nested parts (tool calls, results) count with all their texts; what is neither text nor a number of parts counts as
    an attachment.
    """
    return CALL_TOKENS + sum(MESSAGE_TOKENS + _bytes_of(message) for message in messages)


def _bytes_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, dict):
        kind = value.get("type")
        attached = ATTACHMENT_TOKENS if isinstance(kind, str) and _is_attachment(kind) else 0
        return attached + sum(len(str(name)) + _bytes_of(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(MESSAGE_TOKENS + _bytes_of(inner) for inner in value)
    return len(str(value))


def _is_attachment(kind: str) -> bool:
    return any(word in kind for word in ("image", "file", "document", "audio", "video"))


class Ceiling:
    """Upper bounds of the dollars of one candidate's calls, at the rates of one day.

    Every token counts at the dearest rate that it might be billed at. A provider that bills more than the bound all the
    same (a hidden system prompt, a cap that it does not keep) is believed from then on: `observe` widens the bound.
    """

    def __init__(self, rates: Rates, m: int, candidate: Candidate) -> None:
        self.cap_tokens = cap_tokens(candidate)
        self.widened = 1.0
        self._rates = rates
        self._m = m

    def usd(self, input_tokens: int, output_tokens: int | None = None) -> float:
        """The bound for so much input and output at most (None: the cap)."""
        output = self.cap_tokens if output_tokens is None else output_tokens
        return self._rates.ceiling_usd(self._m, input_tokens, output) * self.widened

    def bill_usd(self, usage: Usage) -> float:
        """The dollars of a call with this usage."""
        return self._rates.bill_usd(self._m, usage)

    def observe(self, input_tokens: int, cost_usd: float) -> None:
        """A call bounded for so much input has cost `cost_usd`; many that were out at once teach no more than one."""
        named_usd = self._rates.ceiling_usd(self._m, input_tokens, self.cap_tokens)
        if named_usd > 0.0:
            self.widened = max(self.widened, cost_usd / named_usd)
