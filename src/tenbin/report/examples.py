"""A prompt and what was decided for it: shown in a report only when the caller hands it over."""

from __future__ import annotations

from dataclasses import dataclass

from tenbin.types import Decision


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt, as text, with the decision taken for it."""

    prompt: str
    decision: Decision
