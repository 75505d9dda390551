"""Write the outcome table: what `read_outcomes` reads, as Parquet, JSON lines or CSV by the file's name."""

# SQL is put together from our own words and quoted names (`literal`); no value of a user is in it.
# ruff: noqa: S608

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.errors import UsageError
from tenbin.outcomes.columns import COLUMNS, NUMBERS
from tenbin.outcomes.load import database
from tenbin.outcomes.source import KINDS, literal, one_file
from tenbin.replacement import replacement
from tenbin.types import Outcome, Query

ALWAYS = ("query_id", "model", "quality")
"""Columns that are written though no row has a value; any other empty column is left out."""


LEAST_OBJECT_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of the table: the query, its split where there is one, and what one model did with it."""

    query: Query
    outcome: Outcome
    split: str | None = None


def write_outcomes(path: Path, rows: Sequence[TableRow]) -> None:
    """Write the rows, whole or not at all, in the order given.

    The suffix says how: .parquet, .jsonl or .csv (others that `read_outcomes` knows too, but for .gz). Raises
    UsageError for another suffix, or where the file cannot be written.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f'"{path.suffix}" says nothing of how to write an outcome table',
            where=str(path),
            fix="end the name in .parquet, .jsonl or .csv",
        )
    cells = [_cells(row) for row in rows]
    names = [name for name in COLUMNS if name in ALWAYS or any(row[name] is not None for row in cells)]
    with written_beside(path) as beside:
        if kind == "csv":
            _write_csv(beside, names, cells, "\t" if path.suffix.lower() == ".tsv" else ",")
        elif kind == "jsonl":
            _write_jsonl(beside, names, cells)
        else:
            types = {name: "DOUBLE" if name in NUMBERS else "VARCHAR" for name in names}
            write_parquet(beside, types, [{name: _flat(row[name]) for name in names} for row in cells])


def _cells(row: TableRow) -> dict[str, Any]:
    query, outcome = row.query, row.outcome
    return {
        "query_id": query.query_id,
        "prompt": query.prompt or None,
        "messages": None if query.messages is None else [dict(message) for message in query.messages],
        "group": query.group,
        "model": outcome.model,
        "split": row.split,
        "quality": outcome.quality,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "cost_usd": outcome.cost_usd,
        "latency_s": outcome.latency_s,
        "label_propensity": outcome.label_propensity,
        "label_noise_sd": outcome.label_noise_sd,
        "observed_at": outcome.observed_at,
        "judge": outcome.judge,
    }


def _write_jsonl(path: Path, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            said = {name: row[name] for name in names if row[name] is not None}
            stream.write(json.dumps(said, ensure_ascii=False) + "\n")


def _write_csv(path: Path, names: Sequence[str], rows: Sequence[dict[str, Any]], delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        plain = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        # Before Python 3.13 the csv module quotes no carriage return, at which every reader ends the row.
        quoting = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(names)
        for row in rows:
            cells = [_flat(row[name]) for name in names]
            has_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)
            (quoting if has_return else plain).writerow(cells)


def write_parquet(path: Path, types: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Parquet; `types` names the columns with their DuckDB types, a struct's value being a mapping."""
    # DuckDB takes rows one by one slowly, but reads a file of them at once.
    lines = path.with_name(f"{path.name}.jsonl")
    longest = 0
    try:
        with lines.open("w", encoding="utf-8", newline="\n") as stream:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False) + "\n"
                longest = max(longest, 4 * len(line))
                stream.write(line)
        declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
        scan = (
            f"read_json({one_file(lines)}, format = 'newline_delimited', columns = {{{declared}}},"
            f" maximum_object_size = {max(longest, LEAST_OBJECT_BYTES)})"
        )
        with database() as con:
            con.execute("SET preserve_insertion_order = true")
            con.execute(f"COPY (SELECT * FROM {scan}) TO {literal(str(path))} (FORMAT parquet)")
    finally:
        lines.unlink(missing_ok=True)


def _flat(value: Any) -> Any:
    """A cell of a flat table: messages as JSON text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A place beside `path` that takes its name when the block ends well (UsageError where it cannot).

    A link stays one: the file that it names is replaced. What is no regular file (a pipe, /dev/null) is written to.
    """
    place = Path(os.path.realpath(path))
    try:
        if place.exists() and not place.is_file() and not place.is_dir():
            yield place
            return
        with replacement(place) as beside:
            yield beside
    except OSError as error:
        raise UsageError(f"cannot be written ({error.strerror})", where=str(path), fix="name another file") from error
