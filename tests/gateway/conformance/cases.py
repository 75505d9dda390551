"""What a conformance test is run with, as one row of the table that is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Endpoint = Literal["chat", "messages", "responses", "embeddings"]
Dialect = Literal["openai", "anthropic"]
Way = Literal["pinned", "routed", "exhausted"]
"""The model named itself; the first candidate fails and the next one answers; all candidates fail."""
Pair = tuple[Endpoint, Dialect]

PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
}
OWN: Sequence[Pair] = (("chat", "openai"), ("messages", "anthropic"))
TRANSLATED: Sequence[Pair] = (("chat", "anthropic"), ("messages", "openai"))
BOTH = (False, True)
NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}


@dataclass(frozen=True, slots=True)
class Case:
    """One run: what is tried, at which endpoint, before an upstream of which dialect, how, streaming or not."""

    name: str
    endpoint: Endpoint
    upstream: Dialect
    way: Way
    is_stream: bool

    def __str__(self) -> str:
        return f"{self.name}-{self.endpoint}-{self.upstream}-{self.way}-{'stream' if self.is_stream else 'whole'}"

    @property
    def path(self) -> str:
        return PATHS[self.endpoint]

    @property
    def is_translated(self) -> bool:
        return (self.endpoint, self.upstream) in TRANSLATED


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table: `cases` are what its tests are run with, `rows` say what holds for each."""

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    cases: Sequence[Case]


def crossed(
    names: Iterable[str], pairs: Iterable[Pair], ways: Iterable[Way], streams: Iterable[bool] = BOTH
) -> list[Case]:
    """Every combination."""
    pairs, ways, streams = list(pairs), list(ways), list(streams)
    return [
        Case(name, endpoint, upstream, way, is_stream)
        for name in names
        for endpoint, upstream in pairs
        for way in ways
        for is_stream in streams
    ]


def spread(cases: Iterable[Case], name: str) -> tuple[str, str, str]:
    """Three cells on the runs of one name: between which dialects, how, streaming or not."""
    runs = [case for case in cases if case.name == name]
    pairs = list(dict.fromkeys((run.endpoint, run.upstream) for run in runs))
    dialects = ", ".join(f"{endpoint} → {NAMES[upstream]}" for endpoint, upstream in pairs)
    if set(pairs) >= {*OWN, *TRANSLATED}:
        others = [
            f"{endpoint} → {NAMES[upstream]}" for endpoint, upstream in pairs if endpoint not in ("chat", "messages")
        ]
        dialects = ", ".join(["chat, messages → either", *others])
    streams = dict.fromkeys(("no", "yes")[run.is_stream] for run in runs)
    return dialects, ", ".join(dict.fromkeys(run.way for run in runs)), ", ".join(streams)
