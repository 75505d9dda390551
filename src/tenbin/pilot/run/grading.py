"""Answers graded as soon as they are bought: each round once, paid graders out of the same purse."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tenbin.features.routing_text import read_conversation
from tenbin.pilot.journal import Journal
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import STOPPED, Begun, Bought, Failed, Graded
from tenbin.pilot.run.bell import Bell
from tenbin.pilot.run.purse import Purse, Reserve
from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader

LONG_ANSWER, LONG_RIVAL = "x" * 4000, "y" * 4000
"""What is taken for answers that have not come yet, when money is set aside for their grading."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A bought answer that cannot be graded before its rival is there, and the rounds to grade it in."""

    bought: Bought
    rounds: Sequence[int]


class Grading:
    """Grades the answers of one run.

    `reference` is the candidate whose answers are the rivals of all others', where the metric compares two. `rung` is
    rung whenever money comes back; `call_id` names paid gradings; `told` hears of every record.
    """

    def __init__(
        self,
        journal: Journal,
        grader: Grader,
        purse: Purse,
        prompts: Mapping[str, PilotPrompt],
        reference: str,
        *,
        rung: Bell,
        call_id: Callable[[], str],
        told: Callable[[Graded | Failed], None],
        concurrency: int,
    ) -> None:
        self.grader = grader
        self.short = 0
        self.unpaid = 0
        self.rivals: dict[str, str] = {}
        self.waiting: dict[str, list[Waiting]] = {}
        self._journal = journal
        self._purse = purse
        self.prompts = prompts
        self._reference = reference
        self._rung = rung
        self._call_id = call_id
        self._told = told
        self._slots = asyncio.Semaphore(concurrency)

    async def grade(self, bought: Bought, rounds: Sequence[int], mark: Reserve | None = None) -> None:
        """Grade one answer in these rounds; `mark` is money that was set aside for it, and is settled here.

        Where the rival is not there yet the answer waits for it, in `waiting`. Where the budget does not hold the
        grading, the answer stays as it is, counted in `unpaid`: the next run with more money grades it.
        """
        is_reference = bought.model == self._reference
        rival: str | None = None
        if self.grader.needs_rival:
            if is_reference and bought.repeat == 0:
                self.rivals[bought.query_id] = bought.answer
            rival = self.rivals.get(bought.query_id)
            if rival is None:
                self._release(mark)
                self.waiting.setdefault(bought.query_id, []).append(Waiting(bought, rounds))
                return
        answered = answered_of(self.prompts[bought.query_id], bought.model, bought.answer, rival)
        for round in rounds:
            # Money before a place: whoever waits for money may hold nothing that those who have it are waiting for.
            reserve = await self._reserve(self.grader.reserve_usd(answered), mark)
            mark = None
            if reserve is None:
                self.unpaid += 1
                break
            async with self._slots:
                await self._grade(bought, round, answered, reserve)
        self._release(mark)

    def freed(self, query_id: str) -> list[Waiting]:
        """The answers that waited for the rival of this query, which is there now."""
        return self.waiting.pop(query_id, []) if query_id in self.rivals else []

    async def _reserve(self, usd: float, mark: Reserve | None) -> Reserve | None:
        """Money for one grading: out of the mark, which is given back first, or what comes back while others end."""
        self._release(mark)
        while (reserve := self._purse.reserve(usd)) is None and self._purse.reserved_usd > 0.0:
            self.short += 1
            try:
                await self._rung.wait()
            finally:
                self.short -= 1
        return reserve

    async def _grade(self, bought: Bought, round: int, answered: Answered, reserve: Reserve) -> None:
        is_paid = reserve.usd > 0.0
        call_id = self._call_id() if is_paid else None
        at_risk_usd = 0.0
        try:
            if call_id is not None:
                await self._journal.commit(self._begun(bought, call_id, reserve.usd))
                at_risk_usd = reserve.usd
            grade = _checked(await _graded(self.grader, answered), self.grader.name)
        except asyncio.CancelledError:
            if call_id is not None:
                stopped = _stopped(bought, call_id, at_risk_usd)
                self._told(stopped)
                await self._journal.commit(stopped)
            self._settle(reserve, at_risk_usd)
            raise
        graded = Graded(
            bought.query_id,
            bought.model,
            time.time(),
            grade.quality,
            grade.metric,
            repeat=bought.repeat,
            round=round,
            note=grade.note,
            cost_usd=grade.cost_usd,
            call_id=call_id,
            details=dict(grade.details),
        )
        self._settle(reserve, grade.cost_usd)
        self._told(graded)  # before the wait: a run that is cut off in it gets this to the disk all the same
        await self._journal.commit(graded)

    def _begun(self, bought: Bought, call_id: str, usd: float) -> Begun:
        return Begun(
            call_id,
            bought.query_id,
            bought.model,
            time.time(),
            usd,
            repeat=bought.repeat,
            stage=bought.stage,
            purpose="grade",
        )

    def _release(self, mark: Reserve | None) -> None:
        if mark is not None:
            self._settle(mark, 0.0)

    def _settle(self, reserve: Reserve, cost_usd: float) -> None:
        self._purse.settle(reserve, cost_usd)
        self._rung.ring()


def answered_of(prompt: PilotPrompt, model: str, answer: str, rival: str | None) -> Answered:
    """An answer to a prompt as graders take it."""
    text = read_conversation(prompt.asked).last_user
    return Answered(
        prompt.query_id, model, text, answer, messages=prompt.messages, reference=prompt.reference, rival=rival
    )


def likely_grading_usd(grader: Grader, prompt: PilotPrompt, model: str) -> float:
    """What is set aside for grading an answer that has not come yet."""
    return grader.reserve_usd(answered_of(prompt, model, LONG_ANSWER, LONG_RIVAL))


async def _graded(grader: Grader, answered: Answered) -> Grade:
    """The grade; a grader that raises all the same has not told, and the run goes on."""
    try:
        return await grader.grade(answered)
    except Exception as error:  # graders are others' code, too
        return Grade(None, grader.name, f"{grader.name} raised {type(error).__name__}: {error}")


def _checked(grade: Grade, name: str) -> Grade:
    """The grade, or one of None where its quality is none."""
    quality = grade.quality
    if quality is None or (math.isfinite(quality) and 0.0 <= quality <= 1.0):
        return grade
    note = f"{name} gave {quality!r}, which is no quality from 0 to 1"
    return Grade(None, grade.metric, note, grade.cost_usd, grade.details)


def _stopped(bought: Bought, call_id: str, cost_usd: float) -> Failed:
    return Failed(
        call_id,
        bought.query_id,
        bought.model,
        time.time(),
        STOPPED,
        "the run was stopped",
        cost_usd,
        repeat=bought.repeat,
        stage=bought.stage,
        purpose="grade",
    )
