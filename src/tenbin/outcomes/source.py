"""One file of outcomes: what kind it is, which columns it has, and how SQL reads it."""

# SQL is put together from our own words and quoted names (`identifier`, `literal`); no value of a user is in it.
# ruff: noqa: S608

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tenbin.errors import DataError
from tenbin.outcomes.bytescan import (
    MAX_LINE_BYTES,
    check_text,
    diagnose_csv,
    diagnose_json,
    header_of,
    keys_of,
    line_of,
    readable,
)

if TYPE_CHECKING:
    import duckdb

Kind = Literal["parquet", "jsonl", "csv"]

KINDS: Mapping[str, Kind] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
}
PICKLES = (".pkl", ".pickle")
ARROW = ("an Arrow file", "write it as Parquet: of datasets, load_from_disk(FOLDER).to_parquet(FILE)")
PACKED: Mapping[bytes, tuple[str, str]] = {
    b"PK\x03\x04": ("a zip archive, or an Excel workbook", "unpack it, or save the sheet as CSV UTF-8"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV UTF-8"),
    b"\x28\xb5\x2f\xfd": ("packed by Zstandard", "unpack it, or pack it by gzip"),
    b"BZh": ("packed by bzip2", "unpack it, or pack it by gzip"),
    b"\xfd7zXZ\x00": ("packed by xz", "unpack it, or pack it by gzip"),
    b"ARROW1\x00\x00": ARROW,
    b"\xff\xff\xff\xff": ARROW,  # a stream of them, which datasets keeps on disk
    b"Obj\x01": ("an Avro file", "write it as Parquet"),
}
"""How files begin that tables come in and that are not read, what they are, and what to do."""
PACKED_NAMES = (".zst", ".bz2", ".xz", ".zip")
ARROW_NAMES = (".arrow", ".feather")
FIRST_LINES = 1000
"""Lines of JSON of which Python takes samples; keys are looked for in all of them."""
PARQUET_MAGIC = b"PAR1"
ROW_NUMBER = "file_row_number"
"""What DuckDB calls the number of a row of Parquet, from 0."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, its kind, and its columns with their types: a DuckDB type for Parquet, JSON and VARCHAR for the others.

    `samples` holds the first value that is not null of each key of the first lines of a JSONL file; `repeated` names
    that several columns have: they may stand in the file, but nothing is read by them.
    """

    path: Path
    kind: Kind
    types: Mapping[str, str]
    samples: Mapping[str, object]
    repeated: frozenset[str] = frozenset()

    @property
    def delimiter(self) -> str:
        """What separates the fields of a CSV file, by its name: a tab for .tsv, else a comma."""
        return "\t" if self.path.name.lower().removesuffix(".gz").endswith(".tsv") else ","

    def column(self, name: str) -> str:
        """The SQL identifier of a column of `scan` (DataError for a name that several columns have)."""
        if name in self.repeated:
            fix = "give each column a name of its own"
            raise DataError(f'has more than one column "{name}"', where=str(self.path), fix=fix)
        # By position: names may differ in nothing but case, or be the name of the row's number.
        return f"c{list(self.types).index(name)}"

    def scan(self, names: Iterable[str]) -> str:
        """SQL that yields these columns and `record`, the number of the row in the file from 1."""
        file = one_file(self.path)
        wanted = list(dict.fromkeys(names))
        picked = ", ".join(f"{identifier(name)} AS {self.column(name)}" for name in wanted)
        if self.kind == "parquet":
            counted = ROW_NUMBER not in map(str.lower, self.types)  # DuckDB adds its own only where there is none
            record = f"{ROW_NUMBER} + 1" if counted else "row_number() OVER ()"
            return (
                f"SELECT {record} AS record, {picked} FROM read_parquet({file}, {ROW_NUMBER} = {str(counted).lower()},"
                " binary_as_string = true, hive_partitioning = false)"
            )
        if self.kind == "jsonl":
            declared = ", ".join(f"{literal(name)}: 'JSON'" for name in wanted)
            reader = (
                f"read_json({file}, format = 'newline_delimited', columns = {{{declared}}},"
                f" maximum_object_size = {MAX_LINE_BYTES}, hive_partitioning = false)"
            )
        else:
            picked = ", ".join(self.column(name) for name in wanted)  # which is what DuckDB is told to call them
            declared = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.types)))
            reader = (
                f"read_csv({file}, auto_detect = false, header = true, columns = {{{declared}}}, delim = "
                f"{literal(self.delimiter)}, quote = '\"', escape = '\"', parallel = false, hive_partitioning = false,"
                f" max_line_size = {MAX_LINE_BYTES}, buffer_size = {2 * MAX_LINE_BYTES})"
            )
        return f"SELECT row_number() OVER () AS record, {picked} FROM {reader}"

    def place(self, record: int, column: str | None = None) -> str:
        """`FILE:3, column quality` of a record (`FILE, row 3, column quality` in Parquet)."""
        if self.kind == "parquet":
            where = f"{self.path}, row {record}"
        else:
            line = line_of(self.path, record, quoted=self.kind == "csv", delimiter=self.delimiter)
            where = f"{self.path}:{line}"
        return where if column is None else f"{where}, column {column}"

    def explain(self) -> DataError:
        """What is wrong with a file that DuckDB does not read, in our words and with our line numbers."""
        try:
            if self.kind == "jsonl":
                diagnose_json(self.path)
            elif self.kind == "csv":
                diagnose_csv(self.path, len(self.types), self.delimiter)
        except DataError as found:
            return found
        fix = {
            "parquet": "the file is damaged: write or copy it again",
            "jsonl": "write one JSON object per line",
            "csv": "use one kind of line end, commas between fields, and double quotes around text",
        }[self.kind]
        return DataError(f"cannot be read as {NAMES[self.kind]}", where=str(self.path), fix=fix)


NAMES: Mapping[Kind, str] = {"parquet": "Parquet", "jsonl": "JSON lines", "csv": "CSV"}


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def one_file(path: Path) -> str:
    """A path as SQL writes it where DuckDB takes patterns: this very file, whatever signs its name has."""
    return literal(re.sub(r"[*?[]", r"[\g<0>]", str(path)))


def list_files(path: Path) -> list[Path]:
    """The file, or the data files that a folder holds, in order of name (DataError where there are none)."""
    if path.is_file():
        return [path]
    if not path.exists():
        raise DataError("does not exist", where=str(path), fix="check the path")
    if not path.is_dir():
        raise DataError("is not a regular file", where=str(path), fix="give a Parquet, JSONL or CSV file")
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    known = [file for file in files if _kind_by_name(file) is not None]
    packed = [file for file in files if file.suffix.lower() in PACKED_NAMES and _kind_by_name(file.with_suffix(""))]
    if packed:  # beside others they would be left out without a word
        raise DataError("is a packed table that is not read", where=str(packed[0]), fix="unpack it, or pack it by gzip")
    arrow = next((file for file in files if file.suffix.lower() in ARROW_NAMES), None)
    if arrow is not None:  # beside datasets' own dataset_info.json, which would be taken for the table
        raise DataError(f"is {ARROW[0]}, which is not read", where=str(arrow), fix=ARROW[1])
    if known:
        return known
    for file in files:
        if file.suffix.lower() in PICKLES:
            refuse_pickle(file)
    raise DataError(
        "is a folder without a Parquet, JSONL or CSV file", where=str(path), fix="give the file, or the folder it is in"
    )


def open_source(path: Path, con: duckdb.DuckDBPyConnection) -> Source:
    """Look at a file closely enough to read it: its kind, its encoding, its columns (DataError)."""
    kind = _kind(path)
    if kind == "parquet":
        _check_parquet(path)
        return Source(path, kind, _parquet_types(path, con), {}, _repeated(_parquet_names(path, con)))
    if kind == "jsonl":
        check_text(path, quoted=False)
        samples = keys_of(path, FIRST_LINES)
        return Source(path, kind, dict.fromkeys([*samples, *_later_keys(path, samples, con)], "JSON"), samples)
    bare = Source(path, kind, {}, {})
    check_text(path, quoted=True, delimiter=bare.delimiter)
    names = header_of(path, bare.delimiter)
    # A repeated name gets its position, so that it is there but answers to no documented name.
    unique = [name if name not in names[:i] else f"{name} ({i + 1})" for i, name in enumerate(names)]
    return Source(path, kind, dict.fromkeys(unique, "VARCHAR"), {}, _repeated(names))


def refuse_pickle(path: Path) -> None:
    """A pickle may run any code when it is opened: say how to convert it where it is trusted (DataError)."""
    raise DataError(
        "is a pickle, and opening a pickle can run any code in it",
        where=str(path),
        fix="if you trust where it comes from, convert it once in an environment of its own with pandas and pyarrow: "
        f"python -c \"import pandas; pandas.read_pickle('{path.name}').to_parquet('{path.stem}.parquet')\", "
        "and give Tenbin the Parquet file",
    )


def _kind_by_name(path: Path) -> Kind | None:
    name = path.name.lower().removesuffix(".gz")
    return KINDS.get(Path(name).suffix)


def _kind(path: Path) -> Kind:
    with readable(path) as stream:
        head = stream.read(4096)
    if path.suffix.lower() in PICKLES or (head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 1):
        refuse_pickle(path)
    for start, (what, fix) in PACKED.items():
        if head.startswith(start):
            raise DataError(f"is {what}, which is not read", where=str(path), fix=fix)
    if not head.strip():
        raise DataError("is empty", where=str(path), fix="give a table with one row per query and model")
    if head.startswith(b"\xef\xbb\xbf") and _kind_by_name(path) == "jsonl":
        raise DataError("starts with a byte order mark", where=str(path), fix="save it as UTF-8 without one")
    if path.suffix.lower() == ".toml":  # its first bracket is no JSON list
        raise DataError("is TOML, not a table", where=str(path), fix="give the outcomes: Parquet, JSON lines or CSV")
    kind = _kind_by_name(path)
    if kind is None:
        opening = head.lstrip()[:1]
        kind = "parquet" if head.startswith(PARQUET_MAGIC) else "jsonl" if opening in (b"{", b"[") else "csv"
    if kind == "jsonl" and head.lstrip().startswith(b"["):
        raise DataError(
            "is one JSON list, not JSON lines", where=str(path), fix="write one object per line, without the brackets"
        )
    return kind


def _check_parquet(path: Path) -> None:
    if path.suffix.lower() == ".gz":
        raise DataError("is Parquet inside gzip", where=str(path), fix="unpack it: Parquet is compressed already")
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(size - 4, 0))
        tail = stream.read(4)
    if head != PARQUET_MAGIC:
        raise DataError("is not a Parquet file, whatever its name says", where=str(path), fix="check what wrote it")
    if tail != PARQUET_MAGIC or size < 12:
        raise DataError(
            "is a truncated Parquet file: its end is missing", where=str(path), fix="write or copy it again"
        )


def _later_keys(path: Path, known: Collection[str], con: duckdb.DuckDBPyConnection) -> list[str]:
    """The keys that stand in later lines of a JSONL file only: tables leave out what a row has no value for."""
    import duckdb  # noqa: PLC0415

    objects = f"read_ndjson_objects({one_file(path)}, maximum_object_size = {MAX_LINE_BYTES})"
    sql = f"SELECT DISTINCT unnest(json_keys(json)) FROM {objects}"
    try:
        found = [str(row[0]) for row in con.execute(sql).fetchall()]
    except duckdb.Error:  # a bad line, which gets its sentence here, or more memory than there is
        found = list(keys_of(path))
    return sorted(set(found).difference(known))


def _repeated(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def _parquet_names(path: Path, con: duckdb.DuckDBPyConnection) -> list[str]:
    """The names of the columns as the file has them; to DuckDB the second `x` is `x_1`."""
    import duckdb  # noqa: PLC0415

    try:
        tree = con.execute(f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({one_file(path)})").fetchall()
    except duckdb.Error as error:
        raise Source(path, "parquet", {}, {}).explain() from error
    names, inner = [], 0
    for name, children in tree[1:]:  # depth first, behind the root
        if not inner:
            names.append(str(name))
        inner = max(inner - 1, 0) + int(children)
    return names


def _parquet_types(path: Path, con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    import duckdb  # noqa: PLC0415

    sql = f"DESCRIBE SELECT * FROM read_parquet({one_file(path)}, binary_as_string = true, hive_partitioning = false)"
    try:
        return {str(row[0]): str(row[1]) for row in con.execute(sql).fetchall()}
    except duckdb.Error as error:
        raise Source(path, "parquet", {}, {}).explain() from error
