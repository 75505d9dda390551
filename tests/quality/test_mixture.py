"""What a veto lets pass, what a mixture is called, and what its details tell."""

from __future__ import annotations

import asyncio

import pytest

from tenbin.quality.exact import Exact
from tenbin.quality.grade import Answered
from tenbin.quality.metric_grader import MetricGrader
from tenbin.quality.mixture import MixtureGrader
from tenbin.quality.normalised import Normalised
from tenbin.quality.plugin_metric import FunctionMetric
from tenbin.quality.threshold import ThresholdGrader

ANSWERED = Answered("q", "m", "2 + 2?", "4", reference="4")
EXACT, NORMALISED = MetricGrader(Exact()), MetricGrader(Normalised())


@pytest.mark.parametrize(("score", "quality"), [(0.0, 0.0), (0.49, 0.0), (0.5, 1.0), (0.51, 1.0)])
def test_a_veto_is_breached_below_one_half(score: float, quality: float) -> None:
    veto = MetricGrader(FunctionMetric("polite", lambda *_: score))
    grade = asyncio.run(MixtureGrader([("exact", 1.0, EXACT)], [("polite", veto)]).grade(ANSWERED))
    assert grade.quality == quality
    assert grade.details["polite"] == f"{score:g}"
    assert ("exact" in grade.details) == (quality == 1.0)


def test_the_order_of_a_table_is_no_part_of_the_name_but_its_weights_are() -> None:
    def name(*parts: tuple[str, float, MetricGrader], vetoes: tuple[MetricGrader, ...] = ()) -> str:
        return MixtureGrader(parts, [(veto.name, veto) for veto in vetoes]).name

    exact, normalised = ("e", 1.0, EXACT), ("n", 2.0, NORMALISED)
    assert name(exact, normalised) == name(normalised, exact)
    assert name(exact, vetoes=(EXACT, NORMALISED)) == name(exact, vetoes=(NORMALISED, EXACT))
    others = [name(exact), name(("e", 2.0, EXACT), ("n", 1.0, NORMALISED)), name(exact, vetoes=(NORMALISED,))]
    assert len({name(exact, normalised), *others}) == 4


def test_what_a_part_says_of_itself_stands_under_its_name() -> None:
    part = ThresholdGrader(MetricGrader(FunctionMetric("half", lambda *_: 0.5)), 0.4)
    grade = asyncio.run(MixtureGrader([("met", 1.0, part), ("exact", 3.0, EXACT)]).grade(ANSWERED))
    assert grade.quality == 1.0
    assert grade.details == {"met": "1", "met.score": "0.5", "exact": "1"}
