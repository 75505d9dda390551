"""Token counts in each dialect's own counting, made of what the ledger books: nobody is told other counts than billed.

OpenAI's prompt_tokens include cached and cache-written ones; Anthropic's input_tokens leave both out.
"""

from __future__ import annotations

from typing import Any

from tenbin.types import Usage

_NONE = Usage(0, 0)


def to_openai_usage(usage: Usage | None) -> dict[str, Any]:
    """The `usage` member of an OpenAI answer; all counts are 0 where none are known."""
    counts = usage or _NONE
    return {
        "prompt_tokens": counts.input_tokens,
        "completion_tokens": counts.output_tokens,
        "total_tokens": counts.input_tokens + counts.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": counts.cached_tokens,
            "cache_write_tokens": counts.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning_tokens},
    }


def to_anthropic_usage(usage: Usage | None) -> dict[str, Any]:
    """The `usage` member of an Anthropic answer; all counts are 0 where none are known."""
    counts = usage or _NONE
    return {
        "input_tokens": counts.input_tokens - counts.cached_tokens - counts.cache_write_tokens,
        "cache_creation_input_tokens": counts.cache_write_tokens,
        "cache_read_input_tokens": counts.cached_tokens,
        "output_tokens": counts.output_tokens,
        "output_tokens_details": {"thinking_tokens": counts.reasoning_tokens},
    }
