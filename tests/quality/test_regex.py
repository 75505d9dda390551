"""A pattern in an answer, found in a process that ends."""

from __future__ import annotations

import asyncio

import pytest

from tenbin.errors import ConfigError
from tenbin.quality import regex
from tenbin.quality.grade import Answered
from tenbin.quality.metric_grader import MetricGrader
from tenbin.quality.regex import Regex


@pytest.mark.parametrize(
    ("pattern", "forbid", "answer", "score"),
    [
        (r"^\d{3}-\d{4}$", False, "123-4567", 1.0),
        (r"(?m)^合計[::]\s*\d+円$", False, "内訳\n合計: 300円\n以上", 1.0),
        (r"(?i)guarantee", True, "We GUARANTEE it", 0.0),
        (r"(?i)guarantee", True, "We do not", 1.0),
        (r"a\x00b", False, "a\x00b \ud800", 1.0),
    ],
)
def test_search(pattern: str, forbid: bool, answer: str, score: float) -> None:
    assert Regex(pattern, forbid).score("", answer, None) == score


def test_a_pattern_that_never_ends_leaves_the_quality_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert regex.CPU_S == 2  # as the class says; one tells as much here
    monkeypatch.setattr(regex, "CPU_S", 1)
    endless = Regex(r"^(a|aa)+$")
    grade = asyncio.run(MetricGrader(endless).grade(Answered("q", "m", "", "a" * 100 + "b")))
    assert grade.quality is None
    assert "it did not end within 1 s of computing" in grade.note


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="no regular expression"):
        Regex("(")
