"""What a pilot writes down, line by line, in `journal.jsonl`: before a call, after it, and what it was worth.

New fields go at the end of a record and have a default, so that the journal of an older Tenbin stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tenbin.types import Usage

Purpose = Literal["answer", "grade"]
STOPPED = "cancelled"
"""The kind of a failure that is our own: the run was stopped before the answer had come."""
CUT_OFF = frozenset({"length", "max_tokens"})
"""Why an answer ended where it did: its output cap was reached."""


class Begun(msgspec.Struct, frozen=True, omit_defaults=True, tag="begun"):
    """A paid call is about to go out; `reserve_usd` counts against the budget until its `Bought` or `Failed`.

    `purpose` "grade": a judge is asked about an answer that stands in the journal already. `at` is Unix time.
    """

    call_id: str
    query_id: str
    model: str
    at: float
    reserve_usd: float
    repeat: int = 0
    stage: int = 0
    purpose: Purpose = "answer"


class Bought(msgspec.Struct, frozen=True, omit_defaults=True, tag="bought"):
    """The answer of one pair, whole: what it said and what it took. `price_version` names the book that priced it.

    `is_estimated`: the provider told no usage, so tokens and `cost_usd` are estimates from the texts, and `held_usd` is
    what it may have billed beyond them: no cost of the answer, but counted against the budget.
    """

    call_id: str
    query_id: str
    model: str
    at: float
    answer: str
    usage: Usage
    cost_usd: float
    latency_s: float
    repeat: int = 0
    stage: int = 0
    label_propensity: float = 1.0
    first_token_s: float | None = None
    finish_reason: str | None = None
    price_version: str | None = None
    is_refusal: bool = False
    is_estimated: bool = False
    held_usd: float = 0.0

    @property
    def is_cut_off(self) -> bool:
        """Whether it ended at its output cap."""
        return self.finish_reason in CUT_OFF


class Failed(msgspec.Struct, frozen=True, omit_defaults=True, tag="failed"):
    """A call that gave no usable answer: `kind` as in `tenbin.upstream.failure`, `cost_usd` what it may have cost."""

    call_id: str
    query_id: str
    model: str
    at: float
    kind: str
    what: str = ""
    cost_usd: float = 0.0
    repeat: int = 0
    stage: int = 0
    purpose: Purpose = "answer"
    is_final: bool = False


class Graded(msgspec.Struct, frozen=True, omit_defaults=True, tag="graded"):
    """The grade of one bought answer; `round` 1 is the second grading of the same answer, for measuring noise.

    `quality` None: the metric could not tell, `note` says why. `details` is what a judge's label is traceable by.
    `call_id` is that of the `Begun` with purpose "grade" where grading was paid, None where it was free.
    """

    query_id: str
    model: str
    at: float
    quality: float | None
    metric: str
    repeat: int = 0
    round: int = 0
    note: str = ""
    cost_usd: float = 0.0
    call_id: str | None = None
    details: Mapping[str, str] = {}


class Labelled(msgspec.Struct, frozen=True, omit_defaults=True, tag="labelled"):
    """A person's verdict on one bought answer, given blind; the last one of the same person on an answer holds.

    `label_propensity` is the probability with which the answer was drawn for people from those of its model.
    """

    query_id: str
    model: str
    at: float
    quality: float
    labeller: str
    repeat: int = 0
    note: str = ""
    label_propensity: float = 1.0


Record = Begun | Bought | Failed | Graded | Labelled
