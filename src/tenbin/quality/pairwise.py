"""A model that compares an answer with the reference candidate's, twice, the order swapped."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from tenbin.quality.grade import Answered, Grade
from tenbin.quality.identity import identity
from tenbin.quality.judge_model import JudgeModel
from tenbin.quality.judge_prompt import JudgeForm, JudgePrompt
from tenbin.quality.judge_reply import whole_reply
from tenbin.quality.question import question_of
from tenbin.quality.shown import shown

Better = Literal["first", "second", "tie"]
FIRST_WINS: Mapping[Better, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}
CHANGED_ITS_MIND = "the judge changed its mind when the order was swapped"


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the judge replies."""

    reason: str
    better: Better


class PairwiseGrader:
    """1 where the answer is better than the rival's, 0 where it is worse, a half for a tie; the mean of both orders.

    The same text as the rival's is a tie, and an empty one loses, without asking. Relatives as in `JudgeGrader`.
    """

    needs_rival = True

    def __init__(self, judge: JudgeModel, form: JudgeForm, relatives: Collection[str], takes_relatives: bool) -> None:
        self.name = identity("pairwise", {**judge.settings_by_name, "prompt": form.hash})
        self._judge = judge
        self._form = form
        self._relatives = frozenset(relatives)
        self._takes_relatives = takes_relatives

    def reserve_usd(self, answered: Answered) -> float:
        """The upper bound of the judge's calls in both orders; nothing where it need not be asked."""
        if self._unasked(answered) is not None:
            return 0.0
        return sum(self._judge.reserve_usd(prompt) for prompt in self._prompts(answered))

    async def grade(self, answered: Answered) -> Grade:
        """The mean over both orders, noted where they disagree; None without a rival, or where an order has no verdict.

        One order alone would keep the judge's liking for the first place in the grade.
        """
        details = self._judge.details(self._form)
        if answered.model in self._relatives:
            details["own_family"] = "true"
        unasked = self._unasked(answered)
        if unasked is not None:
            quality, note = unasked
            return Grade(quality, self.name, note, details=details)
        first, second = await asyncio.gather(*(self._judge.ask(prompt, _read) for prompt in self._prompts(answered)))
        cost_usd = first.cost_usd + second.cost_usd
        if first.found is None or second.found is None:
            return Grade(None, self.name, first.note or second.note, cost_usd, details)
        wins = (FIRST_WINS[first.found.better], 1.0 - FIRST_WINS[second.found.better])
        details |= {
            "as_first": f"{wins[0]:g}",
            "as_second": f"{wins[1]:g}",
            "reason": shown(first.found.reason),
        }
        note = CHANGED_ITS_MIND if wins[0] != wins[1] else ""
        return Grade(sum(wins) / 2, self.name, note, cost_usd, details)

    def _unasked(self, answered: Answered) -> tuple[float | None, str] | None:
        """The quality and the note where no judge is needed or allowed; None where it must be asked."""
        if answered.rival is None:
            return None, "there is no answer of the reference to compare with"
        if answered.model in self._relatives and not self._takes_relatives:
            return None, "the judge is of this model's own family"
        if answered.answer.strip() == answered.rival.strip():
            return 0.5, "" if answered.answer.strip() else "both answers are empty"
        if not answered.answer.strip():
            return 0.0, "the answer is empty"
        if not answered.rival.strip():
            return 1.0, "the reference's answer is empty"
        return None

    def _prompts(self, answered: Answered) -> tuple[JudgePrompt, JudgePrompt]:
        """The answer in the first place, then in the second."""
        own, rival = answered.answer, answered.rival or ""
        question = question_of(answered)
        return (
            self._form.prompt(question, answered.reference, [("first answer", own), ("second answer", rival)]),
            self._form.prompt(question, answered.reference, [("first answer", rival), ("second answer", own)]),
        )


def _read(reply: str) -> Compared | None:
    return whole_reply(reply, Compared)
