"""Why an answer ended, in each dialect's words.

Sources: Anthropic's page on stop reasons; OpenAI's chat completions reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TO_OPENAI: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_TO_ANTHROPIC: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",  # Z.AI
    "model_context_window_exceeded": "model_context_window_exceeded",
}


def to_finish_reason(stop_reason: Any) -> str:
    """OpenAI's finish_reason for Anthropic's stop_reason; an unknown one, of whatever type, is a plain stop."""
    return _TO_OPENAI.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def to_stop_reason(finish_reason: Any, *, has_calls: bool, has_refused: bool = False) -> str:
    """Anthropic's stop_reason for OpenAI's finish_reason.

    With a forced tool choice OpenAI says "stop" although the answer is a call; a refusal says "stop" as well.
    """
    stop = _TO_ANTHROPIC.get(finish_reason, "end_turn") if isinstance(finish_reason, str) else "end_turn"
    if stop != "end_turn":
        return stop
    return "refusal" if has_refused else "tool_use" if has_calls else stop
