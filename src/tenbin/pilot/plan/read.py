"""The prompts of a file: JSON lines, CSV, or plain text, one at a time.

A plain text file holds one prompt a line; where a blank line stands between two lines of text, prompts are the blocks
between blank lines instead, for prompts of several lines.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tenbin.errors import DataError
from tenbin.outcomes.bytescan import CHUNK_BYTES, MAX_LINE_BYTES, check_text, diagnose_csv, readable, wide_csv_fields
from tenbin.outcomes.query_line import QueryLine
from tenbin.pilot.prompt import PilotPrompt
from tenbin.reasons import counted

REFERENCE_KEYS = ("reference", "golden_answer")
"""What the golden answer may be called."""
CSV_COLUMNS = ("query_id", "prompt", "messages", "group", *REFERENCE_KEYS)

Read = Callable[[Path], Iterator[PilotPrompt]]


def read_prompts(path: Path) -> Iterator[PilotPrompt]:
    """The prompts of a file in their order, by its suffix (.gz after it is unpacked); any other is plain text.

    A prompt without a `query_id` takes the number of its line. Raises DataError naming file, line and column for what
    is no prompt, an id given twice, and a file that cannot be read. Holds the ids seen, and one prompt.
    """
    return _with_own_ids(reader_of(path)(path), path)


def reader_of(path: Path) -> Read:
    """What reads a file of this name."""
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return READERS.get(suffix, read_text)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's bytes (DataError)."""
    digest = hashlib.sha256()
    with readable(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_json_lines(path: Path) -> Iterator[PilotPrompt]:
    """One object a line: `prompt` or `messages`, and `query_id`, `group`, `reference` (or `golden_answer`)."""
    with readable(path) as stream:
        number = 0
        while raw := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if not raw.isspace():
                line = QueryLine(raw, str(path), number)
                yield _prompt_of(line, line.parse())


def read_csv(path: Path) -> Iterator[PilotPrompt]:
    """A header, then one record a prompt; `messages` holds JSON."""
    delimiter = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","
    check_text(path, quoted=True, delimiter=delimiter)
    with readable(path) as stream, wide_csv_fields():
        rows = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), strict=True, delimiter=delimiter)
        try:
            header = [name.strip() for name in next(rows, [])]
            _check_header(header, path)
            while True:
                start = rows.line_num + 1
                row = next(rows, None)
                if row is None:
                    return
                if any(cell.strip() for cell in row):
                    yield _prompt_of_record(header, row, path, start)
        except csv.Error:
            diagnose_csv(path, len(header), delimiter)
            raise


def read_text(path: Path) -> Iterator[PilotPrompt]:
    """One prompt a line, or one a block where blank lines stand between blocks; the id is the (first) line's number."""
    check_text(path, quoted=False)
    joined = holds_blocks(path)
    with readable(path) as stream:
        block: list[str] = []
        first = size = 0
        for number, raw in enumerate(io.TextIOWrapper(stream, "utf-8-sig"), start=1):
            line = raw.rstrip("\r\n")
            if line.strip() and joined:
                first, size = (first, size + len(line)) if block else (number, len(line))
                block.append(line)
                _check_length(size, path, first)
            elif line.strip():
                yield PilotPrompt(str(number), line.strip())
            elif block:
                yield PilotPrompt(str(first), "\n".join(block))
                block = []
        if block:
            yield PilotPrompt(str(first), "\n".join(block))


def holds_blocks(path: Path) -> bool:
    """Whether a blank line stands between two lines of text."""
    seen, gap = False, False
    with readable(path) as stream:
        for raw in io.TextIOWrapper(stream, "utf-8-sig"):
            if raw.strip():
                if gap:
                    return True
                seen = True
            else:
                gap = seen
    return False


READERS: Mapping[str, Read] = {
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_lines,
    ".csv": read_csv,
    ".tsv": read_csv,
}


def _prompt_of(line: QueryLine, record: dict[str, Any]) -> PilotPrompt:
    query = line.query_of(record)
    given = [key for key in REFERENCE_KEYS if record.get(key) is not None]
    if len(given) > 1:
        raise line.wrong("has both reference and golden_answer", "give one of them", given[1])
    reference = line.text_of(record, given[0], "give the golden answer as text") if given else None
    return PilotPrompt(query.query_id, query.prompt, query.messages, query.group, reference)


def _prompt_of_record(header: list[str], row: list[str], path: Path, number: int) -> PilotPrompt:
    where = f"{path}:{number}"
    if len(row) != len(header):
        what = f"has {counted(len(row), 'field')} where the header has {len(header)}"
        fix = "put fields that hold commas, quotes or line breaks into double quotes"
        raise DataError(what, where=where, fix=fix)
    cells: dict[str, Any] = {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
    if "messages" in cells:
        try:
            cells["messages"] = json.loads(cells["messages"])
        except (ValueError, RecursionError):
            fix = 'write e.g. [{"role": "user", "content": "..."}]'
            raise DataError("is not JSON", where=f"{where}, column messages", fix=fix) from None
    # The same checks and sentences as for JSON lines; only the place of a fault is said by line and column name.
    line = QueryLine(b"", str(path), number)
    try:
        return _prompt_of(line, {name: cells[name] for name in CSV_COLUMNS if name in cells})
    except DataError as error:
        raise DataError(error.what, where=where, fix=error.fix) from None


def _check_header(header: list[str], path: Path) -> None:
    where = f"{path}:1"
    if "prompt" not in header and "messages" not in header:
        fix = "name the columns in the first line: prompt (or messages), and query_id, group, reference where you have"
        raise DataError("has neither a column prompt nor messages", where=where, fix=fix)
    twice = next((name for name in CSV_COLUMNS if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f'has two columns "{twice}"', where=where, fix="keep one of them")


def _check_length(size: int, path: Path, first: int) -> None:
    if size > MAX_LINE_BYTES:
        fix = "put blank lines between prompts, or give JSON lines"
        raise DataError(f"is a block of more than {MAX_LINE_BYTES // 1024**2} MB", where=f"{path}:{first}", fix=fix)


def _with_own_ids(prompts: Iterator[PilotPrompt], path: Path) -> Iterator[PilotPrompt]:
    seen: set[str] = set()
    for place, prompt in enumerate(prompts, start=1):
        if prompt.query_id in seen:
            what = f'query_id "{prompt.query_id}" was already given (prompt {place} of the file)'
            fix = "give every prompt its own id (one without an id takes the number of its line)"
            raise DataError(what, where=str(path), fix=fix)
        seen.add(prompt.query_id)
        yield prompt
