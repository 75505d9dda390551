"""What an answer marks as its result, to the letter."""

from __future__ import annotations

import pytest

from tenbin.quality.final_answer import final_answer

UNCLOSED = "\\boxed{"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("The answer is 42. It took 3 steps.", "42"),
        ("The answer is 4.5. It took 3 steps.", "4.5"),
        ("The answer is 42\nIt took 3 steps.", "42"),
        ("答えはCです。次の問題", "Cです"),
        (r"Thus \boxed{x + 1}. It took 3 steps.", "x + 1"),
        (r"\fbox{ \frac{3}{4} } of it", r"\frac{3}{4}"),
        (r"\boxed{a{b}{c{d}}e}", "a{b}{c{d}}e"),
        ("#### 42\n", "42"),
        ("Final answer\n\n- 42\n", "42"),
        ("The answer is 1. No, the answer is 2.", "2"),
        ("The answer is 1. The answer is", "1"),
        (f"The answer is 1. {UNCLOSED}2", "1"),
        (f"answer: {'x' * 400}", "x" * 300),
        (f"\\boxed{{{'x' * 299}}}", "x" * 299),
        (f"\\boxed{{{'x' * 300}}}", None),
        (f"The answer is 1. {UNCLOSED * 19}", "1"),
        (f"The answer is 1. {UNCLOSED * 20}", None),
        ("The answer is ", None),
        ("42", None),
    ],
)
def test_what_is_marked(text: str, result: str | None) -> None:
    assert final_answer(text) == result
