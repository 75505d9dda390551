"""What grading one more answer will cost, worked by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from tenbin.pilot.plan.grading import grading_usd
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Record
from tenbin.quality.grade import Answered, Grade
from tenbin.types import Usage

TURNS = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "last turn"})
PROMPTS = [PilotPrompt("q0", "first"), PilotPrompt("q1", messages=TURNS), PilotPrompt("q2", "third", reference="gold")]
TOKENS = np.array([[10.0, 0.0], [20.0, 0.0], [60.0, 0.2]])


@dataclass
class ByLength:
    """Somebody's grader: it may cost `usd` for each character of an answer."""

    usd: float
    name: str = "by length"
    needs_rival: bool = False
    asked: list[Answered] = field(default_factory=list)

    def reserve_usd(self, answered: Answered) -> float:
        self.asked.append(answered)
        return self.usd * len(answered.answer)

    async def grade(self, answered: Answered) -> Grade:
        raise AssertionError(f"nothing is graded here, not even {answered}")


def graded(model: str, cost_usd: float) -> Record:
    return Graded("q0", model, 1.0, 1.0, "by length", cost_usd=cost_usd)


def test_before_any_grade_it_is_a_tenth_of_the_most_that_an_answer_of_the_expected_length_may_cost() -> None:
    grader = ByLength(0.01)
    found = grading_usd(grader, PROMPTS, ("a", "b"), TOKENS, [])
    assert found == pytest.approx(
        np.tile([0.001 * 4 * (10 + 20 + 60) / 3, 0.001 * 4], (3, 1))
    )  # four characters a token
    assert [(one.query_id, one.model) for one in grader.asked] == [(f"q{i}", model) for model in "ab" for i in range(3)]
    first, second, third = grader.asked[:3]
    assert [len(one.answer) for one in (first, second, third)] == [40, 80, 240]
    assert [one.prompt for one in (first, second, third)] == ["first", "last turn", "third"]
    assert [one.messages for one in (first, second)] == [None, TURNS]
    assert [one.reference for one in (first, third)] == ["", "gold"]
    assert all(one.rival == one.answer for one in grader.asked)


def test_grades_that_were_paid_outweigh_the_bound_and_those_of_others_do_not_count() -> None:
    usage = Usage(1, 1)
    records = [
        graded("a", 0.1),
        graded("a", 0.3),
        graded("gone", 9.0),
        Bought("c", "q0", "a", 1.0, "x", usage, 5.0, 1.0),
    ]
    found = grading_usd(ByLength(0.01), PROMPTS, ("a", "b"), TOKENS, records)
    assert found[0] == pytest.approx([(0.4 + 2 * 0.12) / (2 + 2), 0.004])
    free = grading_usd(ByLength(0.0), PROMPTS, ("a", "b"), TOKENS, records)  # though it was paid once
    assert free == pytest.approx(np.tile([0.2, 0.0], (3, 1)))


def test_of_many_prompts_some_are_looked_at_from_the_first_to_the_last() -> None:
    grader = ByLength(0.01)
    prompts = [PilotPrompt(f"q{i}", "x") for i in range(300)]
    grading_usd(grader, prompts, ("a",), np.ones((300, 1)), [])
    assert len(grader.asked) == 30
    assert (grader.asked[0].query_id, grader.asked[-1].query_id) == ("q0", "q299")
