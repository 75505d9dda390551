"""Intervals as they are drawn and set: known ends are shown where they are, unknown ones left open."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from tenbin.report import render_report
from tenbin.report.charts.interval import WIDTH, interval_bar, shared_range
from tenbin.report.sections.verdict import masthead
from tenbin.types import Figure
from tests.report.made import figure, make_evaluation
from tests.report.reading import Page


def whisker(drawn: Figure) -> tuple[float, float] | None:
    found = re.search(r"M([\d.]+) [\d.]+H([\d.]+)", interval_bar(drawn, 0.0, 1.0))
    return None if found is None else (float(found[1]), float(found[2]))


@pytest.mark.parametrize(
    ("low", "high", "drawn"),
    [
        (0.25, 0.75, (40.0, 110.0)),
        (math.nan, 0.75, (0.0, 110.0)),
        (0.25, math.nan, (40.0, float(WIDTH))),
        (math.nan, math.nan, None),
    ],
)
def test_an_end_that_is_not_known_runs_out_of_the_bar(
    low: float, high: float, drawn: tuple[float, float] | None
) -> None:
    assert whisker(Figure(0.5, low, high)) == drawn


def test_the_oracle_does_not_press_the_other_intervals_together() -> None:
    made = make_evaluation()
    far = [
        dataclasses.replace(one, aiq_log=figure(-5.0)) if one.baseline == "oracle" else one for one in made.differences
    ]
    document = render_report(dataclasses.replace(made, differences=tuple(far)))
    low, high = shared_range([one.aiq_log for one in made.differences])
    near = interval_bar(made.differences[0].aiq_log, low, high)
    assert document.count(near) == len(far) - 1


@pytest.mark.parametrize(
    ("sentence", "small"),
    [
        ("it saves 1.0% [0.5%, 2.0%] of the cost of llama [7b] at 9.0% [up to 9.9%]", ["[0.5%, 2.0%]", "[up to 9.9%]"]),
        ("it saves 1.0% [0.5% or more] of the cost of [v2]", ["[0.5% or more]"]),
        ("llama [v2] の9.0%（95%信頼区間 8.0%〜9.9%）の品質（目標99%）", ["（95%信頼区間 8.0%〜9.9%）"]),
    ],
)
def test_intervals_of_the_headline_are_small_and_names_are_not(sentence: str, small: list[str]) -> None:
    page = Page(masthead("Report", sentence))
    assert [text for tag, text in page.texts if tag == "span" and text not in ("天秤", "Tenbin")] == small
