"""What one source says, as SQL over its scan: the shape into which every format is put before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenbin.outcomes.columns import NUMBERS
from tenbin.outcomes.source import Source, literal

NUMERIC_TYPES = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric column as SQL: its value as DOUBLE (null where it has none), its raw text where that is no number."""

    column: str
    value: str
    raw_if_bad: str = "NULL"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row says of one model: the model as SQL (`name` too where it is a constant) and its numbers."""

    model: str
    numbers: Mapping[str, Number]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a source: columns to scan, then SQL texts of the query, then one cell, or one per model (`wide`).

    `nested`: SQL that says whether a prompt is no text but a list or an object. `query_id` None: derived from the text.
    In a wide source every row is a query of its own, so repeated ids are numbered; in a long one they are joined.
    """

    source: Source
    scanned: tuple[str, ...]
    cells: tuple[Cell, ...]
    prompt: str = "NULL"
    messages: str = "NULL"
    nested: str = "false"
    query_id: str | None = None
    group: str = "NULL"
    split: str = "NULL"
    wide: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)

    def shown(self, ours: str, model: str | None) -> str:
        """The name of a column as the file has it, for a message."""
        for cell in self.cells:
            if ours in cell.numbers and cell.name in (None, model):
                return cell.numbers[ours].column
        return self.columns.get(ours, ours)


def text(source: Source, name: str) -> str:
    """SQL: a column as text, null where it is missing."""
    column = source.column(name)
    if source.kind == "jsonl":
        return f"({column} ->> '$')"
    return column if source.types[name] == "VARCHAR" else f"CAST({column} AS VARCHAR)"


def is_nested(source: Source, name: str) -> str:
    """SQL: whether a column holds a list or an object where text belongs."""
    if source.kind == "jsonl":
        return f"coalesce(json_type({source.column(name)}) IN ('ARRAY', 'OBJECT'), false)"
    kind = source.types[name]
    return "true" if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(")) else "false"


def json_text(source: Source, name: str) -> str:
    """SQL: a column that holds JSON (as text, or nested) as JSON text."""
    column = source.column(name)
    if source.kind == "jsonl":
        kind = f"json_type({column})"
        return f"CASE {kind} WHEN 'VARCHAR' THEN {column} ->> '$' WHEN 'NULL' THEN NULL ELSE {column}::VARCHAR END"
    if source.types[name] == "VARCHAR":
        return column
    return f"CASE WHEN {column} IS NOT NULL THEN CAST(to_json({column}) AS VARCHAR) END"


def number(source: Source, name: str, *, truth: bool = False) -> Number:
    """A column as a number; `truth`: true and false count as 1 and 0."""
    column = source.column(name)
    if source.kind == "csv":
        return csv_number(column, name, truth=truth)
    if source.kind == "jsonl":
        return json_number(column, name, truth=truth)
    return typed_number(column, source.types[name], name, truth=truth)


def csv_number(column: str, shown: str, *, truth: bool) -> Number:
    """A number written as text, as CSV has nothing else."""
    value = f"TRY_CAST({column} AS DOUBLE)"
    if truth:
        value = f"CASE lower(trim({column})) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE {value} END"
    bad = f"CASE WHEN trim({column}) <> '' AND ({value}) IS NULL THEN {column} END"
    return Number(shown, _no_nan(value), bad)


def json_number(column: str, shown: str, *, truth: bool) -> Number:
    """A number in a JSON value; a number in quotes is text, and text is not taken for a number."""
    kinds = "'VARCHAR', 'ARRAY', 'OBJECT'" if truth else "'VARCHAR', 'ARRAY', 'OBJECT', 'BOOLEAN'"
    bad = f"CASE WHEN json_type({column}) IN ({kinds}) THEN {column}::VARCHAR END"
    value = f"CASE WHEN json_type({column}) IN ({kinds}, 'NULL') THEN NULL ELSE TRY_CAST({column} AS DOUBLE) END"
    return Number(shown, _no_nan(value), bad)


def typed_number(column: str, kind: str, shown: str, *, truth: bool) -> Number:
    """A number of a Parquet column of DuckDB type `kind`."""
    bare = kind.partition("(")[0]
    if (bare in NUMERIC_TYPES and "[" not in kind) or (truth and kind == "BOOLEAN"):
        return Number(shown, _no_nan(f"CAST({column} AS DOUBLE)"))
    return Number(shown, "NULL::DOUBLE", f"CAST({column} AS VARCHAR)")


def struct_number(column: str, shown: str) -> Number:
    """A number in a field of a struct, whatever type the field has."""
    value = f"TRY_CAST({column} AS DOUBLE)"
    return Number(shown, _no_nan(value), f"CASE WHEN {value} IS NULL THEN CAST({column} AS VARCHAR) END")


def absent(name: str) -> Number:
    """A numeric column that the source does not have."""
    return Number(name, "NULL::DOUBLE")


def one_cell(numbers: Mapping[str, Number], model: str, name: str | None = None) -> Cell:
    """A cell with every numeric column, absent ones included."""
    return Cell(model, {column: numbers.get(column, absent(column)) for column in NUMBERS}, name)


def model_cell(name: str, numbers: Mapping[str, Number]) -> Cell:
    """The cell of one model of a wide source."""
    return one_cell(numbers, literal(name), name)


def field_of(column: str, name: str) -> str:
    """SQL: a field of a struct column."""
    return f"struct_extract({column}, {literal(name)})"


def _no_nan(value: str) -> str:
    return f"nullif({value}, 'nan'::DOUBLE)"
