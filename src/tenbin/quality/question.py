"""What was asked, as a judge reads it."""

from __future__ import annotations

from typing import Any

from tenbin.quality.grade import Answered


def question_of(answered: Answered) -> str:
    """The prompt, or the whole conversation with who said what; what is no text is named by its kind."""
    if answered.messages is None:
        return answered.prompt
    turns = [f"{message.get('role', 'user')}: {_said(message.get('content'))}" for message in answered.messages]
    return "\n\n".join(turns)


def _said(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    parts = [part for part in content if isinstance(part, dict)]
    return "\n".join(str(part["text"]) if "text" in part else f"[{part.get('type', 'part')}]" for part in parts)
