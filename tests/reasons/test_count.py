"""Nouns agree with their counts, in templates as in errors."""

from __future__ import annotations

import pytest

from tenbin.reasons import Reason, counted, filled


@pytest.mark.parametrize(
    ("n", "told"), [(0, "0 prompts"), (1, "1 prompt"), (2, "2 prompts"), (1200, "1,200 prompts"), ("1", "1 prompt")]
)
def test_a_noun_agrees_with_its_count(n: int | str, told: str) -> None:
    assert counted(n, "prompt") == told


def test_a_template_says_both_nouns() -> None:
    template = "{n:query was|queries were} dropped by {model} ({cost})"
    values = {"model": "{n}|x", "cost": "$1"}
    assert filled(template, {"n": "1", **values}) == "1 query was dropped by {n}|x ($1)"
    assert filled(template, {"n": "11", **values}) == "11 queries were dropped by {n}|x ($1)"
    assert filled("{n}件", {"n": "1"}) == "1件"


def test_a_reason_of_one_prompt() -> None:
    reason = Reason("verdict_few", n="1")
    assert reason == "Only 1 unseen prompt was there to test on."
    assert reason.said("ja") == "検証に使えた未学習のプロンプトは1件だけでした。"
