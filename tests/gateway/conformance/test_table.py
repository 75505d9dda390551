"""The page of the conformance table says what the tests run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.conformance.cuts import Cut
from tests.gateway.conformance.table import PAGE, page, sections

FOLDER = Path(__file__).resolve().parent
TESTS = {path.name for path in FOLDER.glob("test_*.py")}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.gateway.conformance.table"


def test_every_row_has_all_its_cells_and_every_run_its_name() -> None:
    for section in sections():
        assert {len(row) for row in section.rows} == {len(section.head)}
        assert len(set(map(str, section.cases))) == len(section.cases)


def test_every_run_that_the_page_tells_of_is_one(request: pytest.FixtureRequest) -> None:
    option = request.config.option
    collected = [item for item in request.session.items if item.path.parent == FOLDER]
    if option.keyword or option.markexpr or {item.path.name for item in collected} != TESTS:
        return  # only a part of the tests was asked for
    parameters = [
        item.callspec.params for item in collected if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    run = {
        found.case if isinstance(found, Cut) else found for p in parameters if (found := p.get("case", p.get("cut")))
    }
    assert [case for section in sections() for case in section.cases if case not in run] == []
