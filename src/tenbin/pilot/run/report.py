"""What a run has come to, while it goes on and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Ended = Literal["running", "done", "budget", "stopped", "left"]
"""Why a run is over: nothing is left to buy, the budget is spent, it was told to stop, pairs are left that failed."""


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """One candidate: `planned` pairs of which `bought_before` this run, `bought` in it, `left` to buy.

    `failures` are failed calls by kind, `given_up` pairs that will not be asked again. `set_aside` says why it was not
    asked to the end, `is_broke` that the budget does not hold one more of its calls. Seconds are means of this run.
    """

    name: str
    planned: int
    bought_before: int
    bought: int
    left: int
    in_flight: int
    given_up: int
    failures: Mapping[str, int]
    refusals: int
    empty: int
    cut: int
    cap_tokens: int
    has_own_cap: bool
    estimated: int
    graded: int
    ungraded: int
    answer_usd: float
    grading_usd: float
    latency_s: float | None
    last_failure: str
    last_ungraded: str
    set_aside: str | None
    is_broke: bool


@dataclass(frozen=True, slots=True)
class RunReport:
    """The whole run. `spent_usd` counts everything since the pilot began, `unknown_usd` the part of it that stands for
    calls whose end nobody saw (a crash); `overrun_usd` is what calls cost beyond their bounds.

    `to_grade` answers are being graded or are next, `unpaid` ones were not graded for lack of money, `waiting` ones
    because the reference's answer to the same prompt is not there.
    """

    ended: Ended
    metric: str
    budget_usd: float
    spent_usd: float
    spent_before_usd: float
    unknown_usd: float
    reserved_usd: float
    overrun_usd: float
    to_grade: int
    unpaid: int
    waiting: int
    elapsed_s: float
    candidates: tuple[CandidateReport, ...]

    @property
    def bought(self) -> int:
        """Answers bought in this run."""
        return sum(candidate.bought for candidate in self.candidates)

    @property
    def left(self) -> int:
        """Pairs still to buy."""
        return sum(candidate.left for candidate in self.candidates)

    @property
    def failed_calls(self) -> int:
        """Calls that gave no answer."""
        return sum(sum(candidate.failures.values()) for candidate in self.candidates)
