"""The line by which Claude Code tells Anthropic who is asking: a text at the head of the system prompt.

It holds a number that is new in every request. Anthropic takes it out; to any other provider it would make each prompt
begin differently, so that no prompt cache ever holds one.
"""

from __future__ import annotations

ATTRIBUTION = "x-anthropic-billing-header:"


def without_attribution(text: str) -> str:
    """The text without such a first line."""
    return text.partition("\n")[2] if text.startswith(ATTRIBUTION) else text
