"""Small outcome tables in every format, written with the plain tools people use."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    import duckdb

    lines = write_jsonl(path.with_suffix(".tmp"), rows)
    con = duckdb.connect()
    con.read_json(str(lines), format="newline_delimited", maximum_object_size=50_000_000).write_parquet(str(path))
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
    return [
        {
            "query_id": "b",
            "prompt": "二つ目",
            "group": "ja",
            "model": "small",
            "quality": 0.25,
            "input_tokens": 3,
            "output_tokens": 10,
            "cost_usd": 0.001,
            "latency_s": 0.5,
            "split": "train",
            "label_propensity": 0.5,
        },
        {
            "query_id": "b",
            "prompt": "二つ目",
            "group": "ja",
            "model": "big",
            "quality": 1.0,
            "input_tokens": 4,
            "output_tokens": 20,
            "cost_usd": 0.01,
            "latency_s": 1.5,
            "split": "train",
            "label_propensity": 1.0,
        },
        {
            "query_id": "a",
            "prompt": 'first, "quoted"\nand two lines',
            "group": "en",
            "model": "big",
            "quality": 0.5,
            "input_tokens": 5,
            "output_tokens": 30,
            "cost_usd": 0.02,
            "latency_s": 2.0,
            "split": "test",
            "label_propensity": 1.0,
        },
        {
            "query_id": "a",
            "prompt": 'first, "quoted"\nand two lines',
            "group": "en",
            "model": "small",
            "quality": None,
            "input_tokens": 5,
            "output_tokens": None,
            "cost_usd": None,
            "latency_s": None,
            "split": "test",
            "label_propensity": 1.0,
        },
        {
            "query_id": "c",
            "prompt": "",
            "group": "en",
            "model": "big",
            "quality": 0.0,
            "input_tokens": 0,
            "output_tokens": 1,
            "cost_usd": 0.0,
            "latency_s": 0.1,
            "split": "calibration",
            "label_propensity": 1.0,
        },
    ]
