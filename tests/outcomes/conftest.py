"""Small outcome tables in every format, written with the plain tools people use."""

from __future__ import annotations

import csv
import functools
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

Row = dict[str, Any]
Writer = Callable[[Sequence[Row], str], Path]


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, names)
        table.writeheader()
        for row in rows:
            table.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    return path


def write_jsonl(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@functools.cache
def converter() -> duckdb.DuckDBPyConnection:
    """One for all files: to open another takes as long as to write one."""
    return duckdb.connect()


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    lines = write_jsonl(path.with_suffix(".tmp"), rows)
    read = converter().read_json(str(lines), format="newline_delimited", maximum_object_size=50_000_000)
    read.write_parquet(str(path))
    lines.unlink()
    return path


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write rows as the kind that the file name says; returns the path."""

    def writer(rows: Sequence[Row], name: str) -> Path:
        path = tmp_path / name
        return {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}[path.suffix](path, rows)

    return writer


@pytest.fixture
def rows() -> list[Row]:
    """Three queries by two models; one answer is unlabelled, one pair is missing."""
    names = ("query_id", "prompt", "group", "model", "quality", "input_tokens", "output_tokens", "cost_usd",
             "latency_s", "split", "label_propensity")  # fmt: skip
    first = 'first, "quoted"\nand two lines'
    table = (
        ("b", "二つ目", "ja", "small", 0.25, 3, 10, 0.001, 0.5, "train", 0.5),
        ("b", "二つ目", "ja", "big", 1.0, 4, 20, 0.01, 1.5, "train", 1.0),
        ("a", first, "en", "big", 0.5, 5, 30, 0.02, 2.0, "test", 1.0),
        ("a", first, "en", "small", None, 5, None, None, None, "test", 1.0),
        ("c", "?", "en", "big", 0.0, 0, 1, 0.0, 0.1, "calibration", 1.0),
    )
    return [dict(zip(names, row, strict=True)) for row in table]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory, monkeypatch):
    """Temporary files go where nobody else's are, so that a test can see what is left of them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
