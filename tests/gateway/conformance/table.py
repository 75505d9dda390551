"""The page docs/reference/conformance.md, made of the very parameters with which the conformance tests run.

`python -m tests.gateway.conformance.table` writes it; a test fails where it is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.gateway.conformance.abroad import abroad
from tests.gateway.conformance.across import across
from tests.gateway.conformance.cases import Section
from tests.gateway.conformance.cuts import cuts
from tests.gateway.conformance.failures import failures
from tests.gateway.conformance.fields import fields
from tests.gateway.conformance.headers import headers
from tests.gateway.conformance.other_fields import embeddings, messages, responses
from tests.gateway.conformance.unlike import unlike
from tests.gateway.conformance.usage import usage

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "conformance.md"
HEAD = """# Conformance

What holds for requests on their way through the gateway. Every row is run against a real gateway on loopback with
scripted upstreams behind it; this page is written by `python -m tests.gateway.conformance.table` from the parameters of
those tests under `tests/gateway/conformance`, and a test fails where it is out of date.

Routed: the model is `tenbin/auto` or another profile. Pinned: the model is a candidate's name. `chat`, `messages`,
`responses` and `embeddings` are the endpoints under `/v1`; behind the arrow stands the dialect of the upstream.
"""


def sections() -> list[Section]:
    """All parts, in their order."""
    return [
        fields(),
        messages(),
        responses(),
        embeddings(),
        abroad(),
        failures(),
        unlike(),
        across(),
        cuts(),
        usage(),
        headers(),
    ]


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for section in sections() for line in _lines(section))]).rstrip() + "\n"


def _lines(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n\n{section.text}\n"
    yield _row(section.head)
    yield "|" + "---|" * len(section.head)
    yield from map(_row, section.rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
