"""Comparisons by a judge against a real server: both orders, and when no judge is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tenbin.quality.exact import Exact
from tenbin.quality.grade import Answered
from tenbin.quality.metric_grader import MetricGrader
from tenbin.quality.mixture import MixtureGrader
from tenbin.quality.threshold import ThresholdGrader
from tenbin.testing import Answer, UpstreamRequest
from tests.quality.judged import ANSWERED, ONE_CALL, ONE_CALL_USD, Judged, says


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    return Judged(tmp_path)


def likes_the_first(request: UpstreamRequest) -> Answer:
    """A judge that always likes the first place."""
    assert request.json is not None
    return says(better="first")


def the_right_one(request: UpstreamRequest) -> Answer:
    """A judge that knows the right answer wherever it stands."""
    prompt = request.json["messages"][-1]["content"]
    return says(better="first" if prompt.index("It is 4.") < prompt.index("Five.") else "second")


@pytest.mark.parametrize(
    ("script", "quality", "note"),
    [
        (the_right_one, 1.0, ""),
        (likes_the_first, 0.5, "the judge changed its mind when the order was swapped"),
        (says(better="tie"), 0.5, ""),
    ],
)
def test_pairwise_asks_in_both_orders(
    judged: Judged, script: Callable[[UpstreamRequest], Answer], quality: float, note: str
) -> None:
    grade = judged.grade(script, kind="pairwise")
    assert (grade.quality, grade.note) == (quality, note)
    assert grade.cost_usd == pytest.approx(2 * ONE_CALL_USD)
    orders = {prompt.index("It is 4.") < prompt.index("Five.") for prompt in judged.prompts}
    assert orders == {True, False}
    assert grade.details["judge_model"] == "strict-judge"
    assert "small" not in json.dumps(judged.asked)


def test_pairwise_without_a_verdict_in_one_order_cannot_tell(judged: Judged) -> None:
    def half(request: UpstreamRequest) -> Answer:
        prompt = request.json["messages"][-1]["content"]
        is_first = prompt.index("It is 4.") < prompt.index("Five.")
        return says(better="first") if is_first else Answer(text="?", usage=ONE_CALL)

    grade = judged.grade(half, kind="pairwise")
    assert grade.quality is None
    assert "nonsense" in grade.note
    assert grade.cost_usd == pytest.approx(3 * ONE_CALL_USD)


@pytest.mark.parametrize(
    ("answer", "rival", "quality"), [("Same.", " Same.", 0.5), ("x", None, None), ("x", "", 1.0), ("", "", 0.5)]
)
def test_pairwise_asks_only_where_it_must(
    judged: Judged, answer: str, rival: str | None, quality: float | None
) -> None:
    grade = judged.grade(says(better="tie"), Answered("q", "small", "?", answer, rival=rival), kind="pairwise")
    assert (grade.quality, grade.cost_usd, judged.asked) == (quality, 0.0, [])
    assert bool(grade.note) == (answer.strip() != "Same.")


def test_what_a_comparison_was_not_asked_to_say_is_nonsense(judged: Judged) -> None:
    grade = judged.grade(says(better="first", note="so"), kind="pairwise")
    assert grade.quality is None
    assert "nonsense" in grade.note


def test_a_relative_that_came_later_is_not_compared(judged: Judged) -> None:
    kin, late = "provider = 'acme'", Answered("q", "cousin", "What?", "x", rival="y")
    barred = judged.grade(says(better="first"), late, kind="pairwise", more=kin)
    assert (barred.quality, barred.note, barred.cost_usd) == (None, "the judge is of this model's own family", 0.0)
    assert (judged.asked, barred.details["own_family"]) == ([], "true")
    assert judged.grade(says(better="tie"), late, kind="pairwise", more=kin, keys="own_family = true").quality == 0.5


def test_a_comparison_that_a_relative_may_take_part_in_is_flagged(judged: Judged) -> None:
    keys = "own_family = true"
    for candidates, flagged in ((("small", "cousin"), True), (("small",), False)):
        grade = judged.grade(
            says(better="tie"), kind="pairwise", keys=keys, more="provider = 'acme'", candidates=candidates
        )
        assert ("own_family" in grade.details) is flagged


def test_what_holds_a_comparison_needs_the_rival_too(judged: Judged) -> None:
    comparison, alone = judged.open(kind="pairwise"), MetricGrader(Exact())
    assert MixtureGrader([("m", 1.0, comparison), ("exact", 1.0, alone)]).needs_rival
    assert MixtureGrader([("exact", 1.0, alone)], [("m", comparison)]).needs_rival
    assert not MixtureGrader([("exact", 1.0, alone)], [("exact", alone)]).needs_rival
    met = ThresholdGrader(comparison, 0.5)
    assert (met.needs_rival, ThresholdGrader(alone, 0.5).needs_rival) == (True, False)
    assert met.reserve_usd(ANSWERED) == comparison.reserve_usd(ANSWERED) > 0.0
    assert comparison.reserve_usd(Answered("q", "small", "?", " ", rival="Five.")) == 0.0
