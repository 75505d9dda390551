"""Which recorded streams are cut, at every byte, on their way to which client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.gateway.conformance.cases import NAMES, Case, Dialect, Endpoint, Section

Ending = Literal["whole", "close"]
"""The HTTP message ends as it should, as a proxy in between makes it, or in the middle of a chunk."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One recorded stream, by its name under tests/streams, and who asked."""

    recording: str
    endpoint: Endpoint
    upstream: Dialect
    ending: Ending

    @property
    def case(self) -> Case:
        return Case(f"{self.recording} {self.ending}", self.endpoint, self.upstream, "pinned", True)

    def __str__(self) -> str:
        return f"{self.recording}-{self.endpoint}-{self.ending}"


CUTS: tuple[Cut, ...] = (
    Cut("chat-length", "chat", "openai", "whole"),
    Cut("chat-length", "chat", "openai", "close"),
    Cut("chat-filter", "chat", "openai", "whole"),
    Cut("chat-tool", "messages", "openai", "whole"),
    Cut("chat-tool", "messages", "openai", "close"),
    Cut("messages-length", "messages", "anthropic", "whole"),
    Cut("messages-tool", "chat", "anthropic", "whole"),
    Cut("responses-tool", "responses", "openai", "whole"),
)
ENDS: Mapping[Ending, str] = {"whole": "as a whole message", "close": "in the middle of one"}


def cuts() -> Section:
    """The part of the table."""
    rows = [(f"`{c.recording}`", f"{c.endpoint} → {NAMES[c.upstream]}", ENDS[c.ending]) for c in CUTS]
    return Section(
        "Streams cut at every byte",
        "A recorded stream ends after each of its bytes in turn. The client sees an error, by status where nothing\n"
        "had gone out, else as the last event; never a normal end, unless the end marker came whole. Only `[DONE]`\n"
        "may be missing, behind a finish reason of every answer, where the HTTP message ends as it should.",
        ("stream", "dialects", "the connection ends"),
        rows,
        [cut.case for cut in CUTS],
    )
