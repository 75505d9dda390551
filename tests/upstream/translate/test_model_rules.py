"""What is known of a model by its name."""

from __future__ import annotations

from typing import Any

import pytest

from tenbin.upstream.translate.model_rules import anthropic_rules, openai_rules


@pytest.mark.parametrize(
    ("model", "thinking", "samples", "prefills", "structured"),
    [
        ("claude-3-haiku-20240307", None, True, True, False),
        ("claude-3-5-sonnet-20241022", None, True, True, False),
        ("claude-3-7-sonnet-latest", "budget", True, True, False),
        ("claude-sonnet-4-20250514", "budget", True, True, False),
        ("claude-opus-4-1-20250805", "budget", True, True, True),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "budget", True, True, True),
        ("anthropic/claude-4.6-opus", "adaptive", True, False, True),
        ("claude-opus-4-7", "adaptive", False, False, True),
        ("claude-sonnet-5", "adaptive", False, False, True),
        ("claude-opus-latest", "adaptive", False, False, True),
        (None, "adaptive", False, False, True),
        ("kimi-k2", "budget", True, True, True),
    ],
)
def test_anthropic_generations(model: Any, thinking: Any, samples: bool, prefills: bool, structured: bool) -> None:
    rules = anthropic_rules(model)
    assert (rules.thinking, rules.samples) == (thinking, samples)
    assert (rules.prefills, rules.is_structured) == (prefills, structured)


@pytest.mark.parametrize(
    ("model", "takes_effort", "samples", "field"),
    [
        ("gpt-4o-mini", False, True, "max_completion_tokens"),
        ("gpt-35-turbo", False, True, "max_completion_tokens"),
        ("gpt-5.2", True, False, "max_completion_tokens"),
        ("gpt-5-chat-latest", True, True, "max_completion_tokens"),
        ("openai/o3", True, False, "max_completion_tokens"),
        ("openai/gpt-oss-120b", True, True, "max_tokens"),
        ("qwen3-coder", True, True, "max_tokens"),
        (None, True, True, "max_completion_tokens"),
    ],
)
def test_models_behind_the_openai_dialect(model: Any, takes_effort: bool, samples: bool, field: str) -> None:
    rules = openai_rules(model)
    assert (rules.takes_effort, rules.samples, rules.max_tokens_field) == (takes_effort, samples, field)
