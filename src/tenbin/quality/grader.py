"""Whoever grades answers: the metric of a profile, plain or composed, free or paid."""

from __future__ import annotations

from typing import Protocol

from tenbin.quality.grade import Answered, Grade


class Grader(Protocol):
    """Grades one answer at a time; `name` identifies the metric and all its settings."""

    @property
    def name(self) -> str: ...

    @property
    def needs_rival(self) -> bool:
        """Whether the reference candidate's answer to the same query must be there first."""
        ...

    def reserve_usd(self, answered: Answered) -> float:
        """The most that grading this answer may cost; 0 where no model is asked."""
        ...

    async def grade(self, answered: Answered) -> Grade:
        """The grade. A metric that cannot tell says so in the grade (`quality` None); it never raises for an answer."""
        ...
