"""Long answers made to keep a metric busy: with one pattern that looks back over and over, this would take minutes."""

from __future__ import annotations

import pytest

from tenbin.quality.choice import Choice
from tenbin.quality.contains import Contains
from tenbin.quality.fenced import fenced
from tenbin.quality.judge_prompt import bare
from tenbin.quality.judge_reply import whole_reply
from tenbin.quality.normalised import Normalised
from tenbin.quality.numeric import Numeric
from tenbin.quality.pairwise import Compared
from tenbin.quality.sql import query_of

PIECES = (
    "1,111",
    " 111",
    "1万",
    "\n",
    "(  ",
    "####\n",
    "answer is ",
    r"\boxed{",
    "`",
    "```\n",
    "1 1/",
    "<answer ",
    " \t",
)


@pytest.mark.parametrize("piece", PIECES)
def test_any_answer_is_read_in_one_go(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    for metric in (Numeric(), Choice(), Normalised(), Contains()):
        assert metric.score(text, text, "A 1") in (0.0, 1.0)
    assert sum(map(len, fenced(text, {"json"}))) <= len(text)
    assert len(query_of(text)) <= len(text)
    assert len(bare(text)) <= len(text)
    assert whole_reply(f"```\n{text}", Compared) is None
