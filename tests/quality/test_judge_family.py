"""Whose model it is, by its name and its provider."""

from __future__ import annotations

import pytest

from tenbin.quality.judge_family import family_of, relatives
from tenbin.types import Candidate
from tenbin.upstream.destination import Destination


def called(name: str, model: str, provider: str | None = None) -> Destination:
    return Destination(Candidate(name, provider, model), "openai", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("model", "provider", "family"),
    [
        ("gpt-4.1-mini", None, "openai"),
        ("o3-mini", "azure", "openai"),
        ("openai/gpt-oss-120b", "groq", "openai"),
        ("us.anthropic.claude-sonnet-4-5-v1:0", "bedrock", "anthropic"),
        ("google/gemma-3-27b-it", "openrouter", "google"),
        ("meta-llama/Llama-3.3-70B", "together", "meta"),
        ("llama-3-8b", "openai", "meta"),  # a server that speaks OpenAI's dialect
        ("deepseek-r1-distill-llama-70b", "groq", "deepseek"),
        ("ft:gpt-4o:acme", None, "openai"),
        ("acme-large", "acme", "acme"),
        ("acme-large", "openrouter", "acme-large"),
        ("Acme-Large", None, "acme-large"),
        ("solo1", None, "solo1"),  # not o1
    ],
)
def test_the_maker(model: str, provider: str | None, family: str) -> None:
    assert family_of(called("x", model, provider)) == family


def test_relatives_are_of_one_family_wherever_they_are_hosted() -> None:
    known = {
        "judge": called("judge", "gpt-4.1", "azure"),
        "mini": called("mini", "gpt-4.1-mini", "openai"),
        "other": called("other", "claude-sonnet-4-5", "anthropic"),
    }
    assert relatives(known["judge"], ["mini", "other", "gone"], known) == {"mini"}
    assert relatives(known["judge"], known, known) == {"judge", "mini"}
