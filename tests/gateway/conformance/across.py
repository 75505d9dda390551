"""A provider that is down as a whole: which failures are played to all candidates of its dialect."""

from __future__ import annotations

from tests.gateway.conformance.cases import OWN, Case, Section, crossed, spread

NAMES = ("401", "429 with Retry-After", "503", "cut before any content", "malformed JSON")
ACROSS_CASES: list[Case] = crossed(NAMES, OWN, ("routed",))


def across() -> Section:
    """The part of the table."""
    return Section(
        "A provider that fails as a whole",
        "All candidates of the dialect that is asked first fail; one of the other dialect answers in the client's,\n"
        "and `x-tenbin-fallbacks` names those that were left.",
        ("failure", "clients", "streamed"),
        [(name, ", ".join(endpoint for endpoint, _ in OWN), spread(ACROSS_CASES, name)[2]) for name in NAMES],
        ACROSS_CASES,
    )
