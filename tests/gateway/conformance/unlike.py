"""Two candidates that fail in different ways, and which of the two failures the client is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenbin.testing import Answer
from tests.gateway.conformance.cases import OWN, Case, Section, crossed


@dataclass(frozen=True, slots=True)
class Pair:
    """`told` is what the client sees, whichever of the two came first."""

    told: Answer
    silent: Answer
    status: int
    why: str


PAIRS: Mapping[str, Pair] = {
    "429 and 401": Pair(Answer.error(429, retry_after=7), Answer.error(401), 429, "our key is not the client's affair"),
    "429 and malformed JSON": Pair(
        Answer.error(429, retry_after=7), Answer.malformed_json(), 429, "it can wait as it was told"
    ),
    "two 429": Pair(
        Answer.error(429, retry_after=3), Answer.error(429, retry_after=60), 429, "the one that may be asked soonest"
    ),
    "429 and context_length_exceeded": Pair(
        Answer.error(429, retry_after=7), Answer.context_length_exceeded(), 429, "the larger model may still take it"
    ),
    "context_length_exceeded and 500": Pair(
        Answer.context_length_exceeded(), Answer.error(500), 400, "it can shorten the conversation"
    ),
    "context_length_exceeded and 404": Pair(
        Answer.context_length_exceeded(), Answer.error(404), 400, "it can shorten the conversation"
    ),
    "500 and 401": Pair(Answer.error(500), Answer.error(401), 500, "our key is not the client's affair"),
}
UNLIKE_CASES: list[Case] = crossed(PAIRS, OWN, ("exhausted",), (False,))


def unlike() -> Section:
    """The part of the table."""
    return Section(
        "Candidates that fail differently",
        "The client is told of the failure that it can act on, whichever came first.",
        ("failures", "told", "why"),
        [
            (name, name.partition(" and ")[0].replace("two 429", "the shorter Retry-After"), p.why)
            for name, p in PAIRS.items()
        ],
        UNLIKE_CASES,
    )
