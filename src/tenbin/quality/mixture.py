"""Several metrics in one: a weighted mean, and vetoes that no mean outweighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader
from tenbin.quality.identity import identity
from tenbin.quality.shown import shown

BREACHED_BELOW = 0.5


class MixtureGrader:
    """The weighted mean of `parts`, 0 where one of `vetoes` scores below one half.

    A part that cannot tell leaves the mixture unable to tell, for a mean of fewer parts would be another measure; but
    a breached veto is 0 whatever the others say. Free vetoes are asked first: what they refuse costs no judge.
    """

    def __init__(self, parts: Sequence[tuple[str, float, Grader]], vetoes: Sequence[tuple[str, Grader]] = ()) -> None:
        self.name = identity(
            "mixture",
            {
                "parts": sorted([grader.name, weight] for _, weight, grader in parts),
                "vetoes": sorted(grader.name for _, grader in vetoes),
            },
        )
        self._parts = tuple(parts)
        self._vetoes = tuple(vetoes)
        graders = [*(grader for _, _, grader in parts), *(grader for _, grader in vetoes)]
        self.needs_rival = any(grader.needs_rival for grader in graders)
        self._graders = graders

    def reserve_usd(self, answered: Answered) -> float:
        """The sum of all parts and vetoes."""
        return sum(grader.reserve_usd(answered) for grader in self._graders)

    async def grade(self, answered: Answered) -> Grade:
        """The mixture; `details` hold every score by the metric's name, and what each says of itself as `NAME.key`."""
        asked: dict[str, Grade] = {}
        by_cost = sorted(self._vetoes, key=lambda veto: veto[1].reserve_usd(answered))
        for name, veto in by_cost:
            asked[name] = grade = await veto.grade(answered)
            if grade.quality is not None and grade.quality < BREACHED_BELOW:
                return self._grade(asked, 0.0, f"{name} is breached")
        for name, _, grader in self._parts:
            if name not in asked:
                asked[name] = await grader.grade(answered)
        if any(grade.quality is None for grade in asked.values()):
            return self._grade(asked, None, "")
        total = sum(weight for _, weight, _ in self._parts)
        mean = sum(weight * (asked[name].quality or 0.0) for name, weight, _ in self._parts) / total
        return self._grade(asked, min(mean, 1.0), "")

    def _grade(self, asked: Mapping[str, Grade], quality: float | None, note: str) -> Grade:
        notes = [note, *(f"{name}: {grade.note}" for name, grade in asked.items() if grade.note)]
        details: dict[str, str] = {}
        for name, grade in asked.items():
            details[name] = "none" if grade.quality is None else f"{grade.quality:.6g}"
            details |= {f"{name}.{key}": value for key, value in grade.details.items()}
        cost_usd = sum(grade.cost_usd for grade in asked.values())
        return Grade(quality, self.name, shown("; ".join(part for part in notes if part)), cost_usd, details)
