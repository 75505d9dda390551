"""The nearest names, for the question only."""

from __future__ import annotations

import pytest

from tenbin.errors import did_you_mean, near_or_known

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


def test_where_nothing_is_near_the_known_names_are_listed() -> None:
    assert near_or_known("claud-3", MODELS) == did_you_mean("claud-3", MODELS)
    assert near_or_known("zzzz", ["b", "a", "b"]) == "known: a, b"
    assert (
        near_or_known("zzzz", [f"n{i:02d}" for i in range(12)])
        == f"known: {', '.join(f'n{i:02d}' for i in range(10))} and 2 more"
    )
    assert near_or_known("zzzz", []) is None
