"""What is written is read again as it was, whatever the texts."""

from __future__ import annotations

import pytest

from tenbin.errors import UsageError
from tenbin.outcomes import read_outcomes
from tenbin.outcomes.write import TableRow, write_outcomes
from tenbin.types import Outcome, Query

TEXTS = (
    "a\rb",
    "\r",
    "a\r\nb",
    "a\nb",
    " lead",
    "x\u2028y",
    "\x01",
    "None",
    "nan",
    '"q"',
    "a,b",
    "x\ty",
    "\\n",
    "\ufeff",
)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_every_text_comes_back(tmp_path, name):
    texts = dict(zip(map(str, range(len(TEXTS))), TEXTS, strict=True))
    rows = [
        TableRow(Query(key, f"p{text}", group=f"g{text}"), Outcome(key, "m", quality=0.5))
        for key, text in texts.items()
    ]
    write_outcomes(tmp_path / name, rows)
    queries = read_outcomes(tmp_path / name).queries
    assert {q.query_id: (q.prompt, q.group) for q in queries} == {
        key: (f"p{text}", f"g{text}") for key, text in texts.items()
    }


def test_an_unknown_suffix_or_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet, \.jsonl or \.csv"):
        write_outcomes(tmp_path / "table.xlsx", [])
    with pytest.raises(UsageError, match="cannot be written"):
        write_outcomes(tmp_path / "no" / "table.csv", [])
