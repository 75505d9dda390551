"""Who gets to see the usage of a stream: those who asked, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.gateway.conformance.cases import Section, crossed, spread


@dataclass(frozen=True, slots=True)
class Asked:
    """What a chat client writes into its request, and whether it then sees the usage."""

    members: Mapping[str, bytes]
    sees: bool


ASKED: Mapping[str, Asked] = {
    "without `stream_options`": Asked({}, sees=False),
    "`stream_options` null": Asked({"stream_options": b"null"}, sees=False),
    "`include_usage` false": Asked({"stream_options": b'{"include_usage": false}'}, sees=False),
    "another option only": Asked({"stream_options": b'{"include_obfuscation": false}'}, sees=False),
    "`include_usage` true": Asked({"stream_options": b'{"include_usage": true}'}, sees=True),
}
CHAT = [("chat", "openai"), ("chat", "anthropic")]
MESSAGES = [("messages", "anthropic"), ("messages", "openai")]
ALWAYS = "a Messages stream"
USAGE_CASES = [
    *crossed(ASKED, CHAT, ("pinned", "routed"), (True,)),  # type: ignore[arg-type]
    *crossed([ALWAYS], MESSAGES, ("pinned", "routed"), (True,)),  # type: ignore[arg-type]
]


def usage() -> Section:
    """The part of the table."""
    sees = {name: ("no usage, nor `usage: null`", "the usage, once, last")[asked.sees] for name, asked in ASKED.items()}
    sees[ALWAYS] = "the usage, as its dialect has it"
    return Section(
        "The usage of a stream",
        "Every OpenAI-dialect upstream is asked for it, for the ledger; the client sees it if it asked itself.",
        ("asked", "dialects", "how", "the client sees"),
        [(name, *spread(USAGE_CASES, name)[:2], sees[name]) for name in (*ASKED, ALWAYS)],
        USAGE_CASES,
    )
