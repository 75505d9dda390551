"""Whether a score reaches what was promised."""

from __future__ import annotations

from dataclasses import replace

from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader


class ThresholdGrader:
    """1 where another grader's score is at least `threshold`, else 0; the score itself stands in the details."""

    def __init__(self, inner: Grader, threshold: float) -> None:
        self.name = f"{inner.name}>={threshold:g}"
        self.needs_rival = inner.needs_rival
        self.threshold = threshold
        self._inner = inner

    def reserve_usd(self, answered: Answered) -> float:
        """As the inner grader's."""
        return self._inner.reserve_usd(answered)

    async def grade(self, answered: Answered) -> Grade:
        """0 or 1; None where the inner grader cannot tell."""
        grade = await self._inner.grade(answered)
        if grade.quality is None:
            return replace(grade, metric=self.name)
        details = {**grade.details, "score": f"{grade.quality:.6g}"}
        # A mean of several grades may miss the threshold by its last bit.
        is_met = grade.quality >= self.threshold - 1e-9
        return replace(grade, quality=float(is_met), metric=self.name, details=details)
