"""A model that scores one answer by a rubric."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from tenbin.quality.grade import Answered, Grade
from tenbin.quality.identity import identity
from tenbin.quality.judge_model import JudgeModel
from tenbin.quality.judge_prompt import JudgeForm, JudgePrompt
from tenbin.quality.judge_reply import whole_reply
from tenbin.quality.question import question_of
from tenbin.quality.shown import shown

DEFAULT_SCALE = 5


class Scored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the judge replies."""

    reason: str
    score: int


class JudgeGrader:
    """Scores from 1 to `scale`, mapped to 0 to 1; `relatives` are the candidates of the judge's own family.

    Answers of relatives are graded only where `takes_relatives` says so, and then marked `own_family` in the details.
    """

    needs_rival = False

    def __init__(
        self, judge: JudgeModel, form: JudgeForm, scale: int, relatives: Collection[str], takes_relatives: bool
    ) -> None:
        self.name = identity("judge", {**judge.settings_by_name, "prompt": form.hash})
        self._judge = judge
        self._form = form
        self._scale = scale
        self._relatives = frozenset(relatives)
        self._takes_relatives = takes_relatives

    def reserve_usd(self, answered: Answered) -> float:
        """The upper bound of the judge's calls; nothing where it need not be asked."""
        if not answered.answer.strip() or self._is_barred(answered):
            return 0.0
        return self._judge.reserve_usd(self._prompt(answered))

    async def grade(self, answered: Answered) -> Grade:
        """The judge's score; 0 without asking for an empty answer, None where the judge did not say."""
        details = self._judge.details(self._form)
        if answered.model in self._relatives:
            details["own_family"] = "true"
        if self._is_barred(answered):
            return Grade(None, self.name, "the judge is of this model's own family", details=details)
        if not answered.answer.strip():
            return Grade(0.0, self.name, "the answer is empty", details=details)
        asked = await self._judge.ask(self._prompt(answered), self._read)
        if asked.found is None:
            return Grade(None, self.name, asked.note, asked.cost_usd, details)
        details |= {"score": str(asked.found.score), "reason": shown(asked.found.reason)}
        quality = (asked.found.score - 1) / (self._scale - 1)
        return Grade(quality, self.name, asked.note, asked.cost_usd, details)

    def _is_barred(self, answered: Answered) -> bool:
        return answered.model in self._relatives and not self._takes_relatives

    def _prompt(self, answered: Answered) -> JudgePrompt:
        return self._form.prompt(question_of(answered), answered.reference, [("answer", answered.answer)])

    def _read(self, reply: str) -> Scored | None:
        scored = whole_reply(reply, Scored)
        return scored if scored is not None and 1 <= scored.score <= self._scale else None
