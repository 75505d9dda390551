"""What is written is read again as it was, whatever the texts."""

from __future__ import annotations

import os

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


def test_a_pipe_and_a_link_keep_their_place(tmp_path):
    row = [TableRow(Query("1", "hello"), Outcome("1", "m", quality=0.5))]
    pipe, link = tmp_path / "pipe.jsonl", tmp_path / "link.jsonl"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_outcomes(pipe, row)  # as root, a file had taken the place of /dev/null
        assert b'"hello"' in os.read(reader, 1 << 16)
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    (tmp_path / "real.jsonl").write_text("old")
    link.symlink_to("real.jsonl")
    write_outcomes(link, row)
    assert link.is_symlink()
    assert "hello" in (tmp_path / "real.jsonl").read_text()
