"""What is graded, and the grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenbin.types import Message


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer to be graded: what was asked, what `model` said, and what it may be held against.

    `prompt` is the text of the question (the last user turn where there are `messages`); `reference` the golden answer
    where the prompts file has one; `rival` the answer of the profile's reference candidate to the same query, for
    metrics that compare two.
    """

    query_id: str
    model: str
    prompt: str
    answer: str
    messages: tuple[Message, ...] | None = None
    reference: str | None = None
    rival: str | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """How good one answer is: `quality` in [0, 1], None where the metric cannot tell and says so in `note`.

    `metric` identifies the metric and its settings: equal names mean the same thing was measured. `cost_usd` is what
    the grading itself cost (a judge's calls), `details` what a judge's label must be traceable by (judge model, hash
    of its prompt, temperature).
    """

    quality: float | None
    metric: str
    note: str = ""
    cost_usd: float = 0.0
    details: Mapping[str, str] = field(default_factory=dict)
