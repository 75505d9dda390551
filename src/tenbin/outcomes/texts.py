"""The prompts of a source, once per query: only the rows that are wanted, one at a time.

DuckDB works in batches of 2,048 rows, which is gigabytes where prompts are a megabyte long; a text file is therefore
walked line by line here, and only the wanted lines are taken apart.
"""

# SQL is put together from our own words and quoted names (`identifier`, `literal`); no value of a user is in it.
# ruff: noqa: S608

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from tenbin.errors import DataError
from tenbin.outcomes.bytescan import readable, records, wide_csv_fields
from tenbin.outcomes.layout import Layout
from tenbin.outcomes.repeated_key import RepeatedKeyError, no_repeats
from tenbin.types import Message

if TYPE_CHECKING:
    import duckdb

FETCH_ROWS = 1000

T = TypeVar("T")

Text = tuple[int, str, tuple[Message, ...] | None]
"""A record's number, its prompt ("" where it has none) and its messages."""


def texts(con: duckdb.DuckDBPyConnection, layout: Layout, wanted: Sequence[int]) -> Iterator[Text]:
    """The texts of the wanted records of a source (numbers ascending, from 1)."""
    read = {"jsonl": _json_texts, "csv": _csv_texts}.get(layout.source.kind)
    told = _parquet_texts(con, layout, wanted) if read is None else read(layout, wanted)
    for record, prompt, told_messages in told:
        messages = _messages(told_messages, layout, record)
        yield record, (prompt or "") if messages is None else "", messages  # beside messages stand blanks at most


def _json_texts(layout: Layout, wanted: Sequence[int]) -> Iterator[tuple[int, str | None, object]]:
    prompt, messages = layout.columns.get("prompt"), layout.columns.get("messages")
    with readable(layout.source.path) as stream:
        for record, raw in _taken(records(stream), wanted):
            try:
                row = json.loads(raw, object_pairs_hook=no_repeats)
            except RepeatedKeyError as error:
                what, where = f'the key "{error.args[0]}" stands twice', layout.source.place(record)
                raise DataError(what, where=where, fix="keep one of them") from error
            text = row.get(prompt)
            yield record, text if text is None or isinstance(text, str) else json.dumps(text), row.get(messages)


def _csv_texts(layout: Layout, wanted: Sequence[int]) -> Iterator[tuple[int, str | None, object]]:
    names = list(layout.source.types)
    at = {ours: names.index(layout.columns[ours]) for ours in ("prompt", "messages") if ours in layout.columns}
    with readable(layout.source.path) as stream, wide_csv_fields():
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        rows = filter(None, csv.reader(text, delimiter=layout.source.delimiter))
        next(rows)  # the header
        for record, row in _taken(rows, wanted):
            yield (
                record,
                row[at["prompt"]] if "prompt" in at else None,
                row[at["messages"]] if "messages" in at else None,
            )


def _parquet_texts(
    con: duckdb.DuckDBPyConnection, layout: Layout, wanted: Sequence[int]
) -> Iterator[tuple[int, str | None, object]]:
    scan = layout.source.scan([layout.columns[ours] for ours in ("prompt", "messages") if ours in layout.columns])
    for start in range(0, len(wanted), FETCH_ROWS):
        part = wanted[start : start + FETCH_ROWS]
        # Parquet skips the row groups that hold none of these, and a result of so few rows stays small.
        yield from con.execute(
            f"SELECT record, {layout.prompt}, {layout.messages} FROM ({scan}) WHERE record BETWEEN {part[0]} AND"
            f" {part[-1]} AND record IN (SELECT unnest(?)) ORDER BY record",
            [list(part)],
        ).fetchall()


def _taken(records: Iterator[T], wanted: Sequence[int]) -> Iterator[tuple[int, T]]:
    """The wanted records with their numbers; reading ends with the last of them."""
    passed = 0
    for record in wanted:
        for value in islice(records, record - passed - 1, record - passed):
            yield record, value
        passed = record


def _messages(told: object, layout: Layout, record: int) -> tuple[Message, ...] | None:
    if told is None or (isinstance(told, str) and not told.strip()):
        return None
    try:
        value = json.loads(told) if isinstance(told, str) else told
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) and "role" in item for item in value):
        raise DataError(
            "is not a list of chat messages",
            where=layout.source.place(record, layout.shown("messages", None)),
            fix='write JSON such as [{"role": "user", "content": "..."}]',
        )
    source = layout.source
    if source.kind == "parquet" and source.types[layout.columns["messages"]] != "VARCHAR":
        value = _said(value)
    # A message without a field says the same as one whose field is null.
    return tuple({key: item[key] for key in sorted(item) if item[key] is not None} for item in value)


def _said(value: Any) -> Any:
    """The value without the null fields: nested Parquet columns spell out every field that any object has."""
    if isinstance(value, dict):
        return {key: _said(inner) for key, inner in value.items() if inner is not None}
    return [_said(inner) for inner in value] if isinstance(value, list) else value
