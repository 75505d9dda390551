"""The nearest names, for the question only."""

from __future__ import annotations

import pytest

from tenbin.errors import did_you_mean

MODELS = ["mistralai/mistral-large", "gpt-4o", "gpt-4o-mini", "openai/gpt-4o", "claude-3"]


@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("mistral-large", 'did you mean "mistralai/mistral-large"?'),
        ("azure/GPT-4O", 'did you mean "gpt-4o" or "openai/gpt-4o"?'),
        ("claud-3", 'did you mean "claude-3"?'),
        ("gpt4o", 'did you mean "gpt-4o" or "openai/gpt-4o" or "gpt-4o-mini"?'),
        ("zzzz", None),
        ("", None),
    ],
)
def test_the_nearest_names(word: str, question: str | None) -> None:
    assert did_you_mean(word, MODELS) == question


def test_nothing_is_near_to_nothing() -> None:
    assert did_you_mean("gpt-4o", []) is None
