"""Token counts in each dialect's own counting.

OpenAI's prompt_tokens include cached and cache-written ones; Anthropic's input_tokens leave both out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _count(counts: Any, key: str) -> int:
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return value if isinstance(value, int) and value > 0 else 0


def to_openai_usage(usage: Any) -> dict[str, Any]:
    """The `usage` of an Anthropic answer as an OpenAI one counts it; missing counts are 0."""
    cached = _count(usage, "cache_read_input_tokens")
    written = _count(usage, "cache_creation_input_tokens")
    prompt = _count(usage, "input_tokens") + cached + written
    completion = _count(usage, "output_tokens")
    details = usage.get("output_tokens_details") if isinstance(usage, Mapping) else None
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": _count(details, "thinking_tokens")},
    }


def to_anthropic_usage(usage: Any) -> dict[str, Any]:
    """The `usage` of an OpenAI answer as an Anthropic one counts it; missing counts are 0."""
    inputs = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    outputs = usage.get("completion_tokens_details") if isinstance(usage, Mapping) else None
    cached = _count(inputs, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens")  # the latter: DeepSeek
    written = _count(inputs, "cache_write_tokens")
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    # xAI and Google show hidden reasoning in the total only.
    completion = max(completion, _count(usage, "total_tokens") - prompt)
    return {
        "input_tokens": max(prompt - cached - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": completion,
        "output_tokens_details": {"thinking_tokens": _count(outputs, "reasoning_tokens")},
    }
