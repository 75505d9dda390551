"""The examples in the reference are read as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenbin.outcomes import read_outcomes
from tenbin.outcomes.columns import COLUMNS
from tenbin.outcomes.read import FORMATS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
EXAMPLES = [
    (page, kind, text)
    for page in ("outcome-table.md", "public-formats.md")
    for kind, text in re.findall(r"```(csv|jsonl)\n(.*?)```", (REFERENCE / page).read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("page", "kind", "text"), EXAMPLES)
def test_an_example_is_read(tmp_path, page, kind, text):
    path = tmp_path / f"t.{kind}"
    path.write_text(text, encoding="utf-8")
    panel = read_outcomes(path)
    assert len(panel.models) == 2


def test_the_two_forms_of_the_first_example_are_one_table(tmp_path):
    hashes = set()
    for _, kind, text in EXAMPLES[:2]:
        path = tmp_path / f"t.{kind}"
        path.write_text(text, encoding="utf-8")
        hashes.add(read_outcomes(path).data_hash)
    assert len(hashes) == 1


def test_every_column_and_format_is_documented():
    table = (REFERENCE / "outcome-table.md").read_text(encoding="utf-8")
    formats = (REFERENCE / "public-formats.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in table] == []
    assert [name for name in FORMATS if name != "auto" and f"`{name}`" not in formats] == []
