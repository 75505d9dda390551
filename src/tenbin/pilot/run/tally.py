"""What a run has done so far, candidate by candidate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tenbin.pilot.records import Bought, Failed, Graded


@dataclass(slots=True)
class RunTally:
    """The counts of one candidate in one run.

    `failures` counts failed calls by kind, `given_up` the pairs that will not be asked again; `empty`, `cut` (at the
    output cap) and `refusals` are answers all the same. `ungraded` answers are those that the metric could not grade.
    Dollars are what was booked, grading apart.
    """

    bought: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    refusals: int = 0
    empty: int = 0
    cut: int = 0
    estimated: int = 0
    graded: int = 0
    ungraded: int = 0
    output_tokens: int = 0
    answer_usd: float = 0.0
    grading_usd: float = 0.0
    latency_s: float = 0.0
    last_failure: str = ""
    last_ungraded: str = ""

    def take(self, record: Bought | Failed | Graded) -> None:
        """Count what came of one call or one grading."""
        match record:
            case Bought():
                self.bought += 1
                self.refusals += record.is_refusal
                self.empty += not record.is_refusal and not record.answer.strip()
                self.cut += record.is_cut_off
                self.estimated += record.is_estimated
                self.output_tokens += record.usage.output_tokens
                self.answer_usd += record.cost_usd + record.held_usd
                self.latency_s += record.latency_s
            case Failed():
                self.failures[record.kind] += 1
                self.given_up += record.is_final
                self.last_failure = record.what
                if record.purpose == "grade":
                    self.grading_usd += record.cost_usd
                else:
                    self.answer_usd += record.cost_usd
            case Graded():
                self.grading_usd += record.cost_usd
                if record.quality is None:
                    self.ungraded += 1
                    self.last_ungraded = record.note
                else:
                    self.graded += 1

    @property
    def mean_output_tokens(self) -> float | None:
        """Tokens of an answer, None before the first."""
        return self.output_tokens / self.bought if self.bought else None
