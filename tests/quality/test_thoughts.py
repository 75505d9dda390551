"""What was thought aloud before an answer is none of it, for every metric that looks for a result."""

from __future__ import annotations

import pytest

from tenbin.protocols import QualityMetric
from tenbin.quality.choice import Choice
from tenbin.quality.contains import Contains
from tenbin.quality.exact import Exact
from tenbin.quality.json_schema import JsonSchema
from tenbin.quality.normalised import Normalised
from tenbin.quality.numeric import Numeric
from tenbin.quality.sql import query_of
from tenbin.quality.thoughts import without_thoughts

THOUGHTS = "The answer is 7, so (A)? ```json\n[]\n``` SELECT 7; no, not Rome."


@pytest.mark.parametrize(
    "before", [f"<think>\n{THOUGHTS}\n</think>\n\n", f"{THOUGHTS}</think>", f"[THINK]{THOUGHTS}[/THINK]"]
)
@pytest.mark.parametrize(
    ("metric", "answer", "reference", "quality"),
    [
        (Numeric(), "8", "8", 1.0),
        (Choice(), "B", "B", 1.0),
        (Normalised(), "Paris.", "paris", 1.0),
        (Contains(), "It is Paris", "Rome", 0.0),
        (JsonSchema(), '{"a": 1}', '{"type": "object"}', 1.0),
        (Exact(), "Paris", "Paris", 0.0),
    ],
)
def test_thoughts_are_no_answer(
    before: str, metric: QualityMetric, answer: str, reference: str, quality: float
) -> None:
    """Exact is to the letter: a program that reads an answer so reads the thoughts, too."""
    assert metric.score("?", before + answer, reference) == quality


def test_thoughts_are_no_query() -> None:
    assert query_of(f"<think>{THOUGHTS}</think> SELECT 8; it is.") == "SELECT 8;"


@pytest.mark.parametrize("text", ["Write <think>x</think> for thoughts.", "4 < 5"])
def test_tags_that_are_talked_about_are_left(text: str) -> None:
    assert without_thoughts(text) == text


def test_the_first_end_ends_the_thoughts_and_tags_behind_it_are_words() -> None:
    assert without_thoughts("<think>7?</think>8 </think> 9") == "8 </think> 9"
    assert without_thoughts("7? No.</think>8 <think>") == "8 <think>"
