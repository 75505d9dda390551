"""One pass over the bytes of a text file before it is parsed: encoding, line lengths, quotes; in bounded memory."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import filterfalse, islice, zip_longest
from pathlib import Path
from typing import IO, NoReturn, cast

from tenbin.errors import DataError
from tenbin.outcomes.quotes import Quotes
from tenbin.outcomes.repeated_key import RepeatedKeyError, no_repeats
from tenbin.reasons import counted

MAX_LINE_BYTES = 16 * 1024 * 1024
"""The longest line or CSV record that is read; a 1 MB prompt fits easily, a 200 MB line is a mistake."""

CHUNK_BYTES = 1024 * 1024


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where its name ends in .gz."""
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


@contextmanager
def readable(path: Path) -> Iterator[IO[bytes]]:
    """`open_bytes` with every way in which reading may fail turned into one sentence (DataError)."""
    try:
        with open_bytes(path) as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            "is not a whole gzip file: it is damaged or cut short", where=str(path), fix="copy or pack it again"
        ) from error
    except OSError as error:
        reason = error.strerror or "the system refused"
        raise DataError(f"cannot be read ({reason})", where=str(path), fix="check the path and its rights") from error


def check_text(path: Path, *, quoted: bool, delimiter: str = ",") -> None:
    """Refuse a file that is not UTF-8 text of lines of at most 16 MB; `quoted`: CSV, quotes must close and begin
    where a field does (DataError).
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    line, open_bytes_in_line = 1, 0
    quotes = Quotes(delimiter)
    with readable(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                _refuse_encoding(path, line + chunk.count(b"\n", 0, max(error.start, 0)))
            if b"\0" in chunk:
                _refuse_encoding(path, line + chunk.count(b"\n", 0, chunk.index(b"\0")))
            first = chunk.find(b"\n")
            open_bytes_in_line += first if first >= 0 else len(chunk)
            if open_bytes_in_line > MAX_LINE_BYTES:
                _refuse_length(path, line)
            if first >= 0:
                open_bytes_in_line = len(chunk) - chunk.rfind(b"\n") - 1
            line += chunk.count(b"\n")
            if quoted:
                quotes.see(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse_encoding(path, line)
    if quotes.count % 2:  # a quote that never closes would silently swallow the last rows
        diagnose_csv(path, columns=None)
    if quotes.astray:
        _check_late_quotes(path, delimiter)


def header_of(path: Path, delimiter: str) -> list[str]:
    """The names in the first line of a CSV file (DataError where it is blank)."""
    with readable(path) as stream:
        text = stream.read(CHUNK_BYTES).decode("utf-8-sig", "ignore")
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise DataError("has a blank first line", where=f"{path}:1", fix="put the column names into the first line")
    return names


def keys_of(path: Path, most_lines: int | None = None) -> dict[str, object]:
    """The keys that occur in a JSONL file, or in its first lines, each with its first value that is not null."""
    found: dict[str, object] = {}
    with readable(path) as stream:
        for number, raw in enumerate(islice(lines(stream), most_lines), start=1):
            if not raw.isspace():
                for key, value in _json_object(path, number, raw).items():
                    if found.get(key) is None:
                        found[key] = value
    return found


def line_of(path: Path, record: int, *, quoted: bool, delimiter: str = ",") -> int:
    """The line in which the record of that number (from 1; the CSV header not counted) starts."""
    with readable(path) as stream:
        if not quoted:
            numbers = (number for number, raw in enumerate(lines(stream), start=1) if not raw.isspace())
            return next((line for count, line in enumerate(numbers, start=1) if count == record), record)
        with wide_csv_fields():
            rows = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), delimiter=delimiter)
            count, start = -1, 1
            for row in rows:
                count += bool(row)
                if count == record:
                    return start if "\n" in "".join(row) else rows.line_num
                start = rows.line_num + 1
    return record + 1


def diagnose_json(path: Path) -> None:
    """Find the first line that is not one JSON object and say so (DataError); return where every line is."""
    with readable(path) as stream:
        for number, raw in enumerate(lines(stream), start=1):
            if not raw.isspace():
                _json_object(path, number, raw)


def diagnose_csv(path: Path, columns: int | None, delimiter: str = ",") -> None:
    """Find the first record of other than `columns` fields, or a quote that does not close (DataError)."""
    with readable(path) as stream, wide_csv_fields():
        rows = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), strict=True, delimiter=delimiter)
        line = 1
        try:
            for row in rows:
                if columns is not None and row and len(row) != columns:
                    raise DataError(
                        f"has {counted(len(row), 'field')} where the header has {columns}",
                        where=f"{path}:{line}",
                        fix="put fields that hold commas, quotes or line breaks into double quotes",
                    )
                line = rows.line_num + 1
        except csv.Error as error:
            if "larger than field limit" in str(error):
                _refuse_length(path, line)
            what = "a quoted field that starts here does not close as CSV says"
            fix = 'close it, and write a quote inside a field as ""'
            raise DataError(what, where=f"{path}:{line}", fix=fix) from error


@contextmanager
def wide_csv_fields() -> Iterator[None]:
    """Let the csv module read fields as long as a line may be."""
    # The csv module keeps its field limit for the whole process: give it back as it was.
    before = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, none longer than `MAX_LINE_BYTES` and its line end."""
    return iter(partial(stream.readline, MAX_LINE_BYTES + 2), b"")


def records(stream: IO[bytes]) -> Iterator[bytes]:
    """The `lines` that are not blank."""
    return filterfalse(bytes.isspace, lines(stream))


def _check_late_quotes(path: Path, delimiter: str) -> None:
    """Refuse the first field that begins with blanks and a quote: one reader takes the quote for a sign, the next for a
    letter, and a comma behind it parts the field or does not (DataError).

    Where quotes hold such text, `" ""so"" "`, both ways to read the file agree but for blanks.
    """
    with readable(path) as first, readable(path) as second, wide_csv_fields():
        literal, skipping = (
            csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), delimiter=delimiter, skipinitialspace=skips)
            for stream, skips in ((first, False), (second, True))
        )
        line = 1
        for one, other in zip_longest(literal, skipping):
            if [field.lstrip(" ") for field in one or ()] != [field.lstrip(" ") for field in other or ()]:
                raise DataError(
                    "has a blank before the quote that opens a field",
                    where=f"{path}:{line}",
                    fix="write the quote right behind the comma",
                )
            line = literal.line_num + 1


def _json_object(path: Path, number: int, raw: bytes) -> dict[str, object]:
    where = f"{path}:{number}"
    fix = "write one JSON object per line"
    try:
        value = json.loads(raw, object_pairs_hook=no_repeats)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RepeatedKeyError as error:
        raise DataError(f'the key "{error.args[0]}" stands twice', where=where, fix="keep one of them") from error
    except UnicodeEncodeError as error:
        raise DataError("holds half of a surrogate pair, which is no character", where=where, fix=fix) from error
    except (ValueError, RecursionError) as error:
        raise DataError("is not valid JSON", where=where, fix=fix) from error
    if not isinstance(value, dict):
        raise DataError(f"is a JSON {_json_kind(value)}, not an object", where=where, fix=fix)
    return value


def _json_kind(value: object) -> str:
    if isinstance(value, list):
        return "list"
    return "text" if isinstance(value, str) else "number or constant"


def _refuse_encoding(path: Path, line: int) -> NoReturn:
    raise DataError("is not UTF-8 text", where=f"{path}:{line}", fix="save the file as UTF-8 and try again")


def _refuse_length(path: Path, line: int) -> NoReturn:
    raise DataError(
        f"is longer than {MAX_LINE_BYTES // 1024**2} MB",
        where=f"{path}:{line}",
        fix="write one record per line and shorten or drop what is not a prompt",
    )
