"""Whether two queries give the same rows: `{"fixture", "reference", "answer"}` in, `{"equal": bool}` out.

Where it is not the answer's fault that nothing can be told, `{"fault": sentence}`. The database is in memory; queries
may read its tables and call functions, and nothing else.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Sequence[Any]

MAX_STEPS = 20_000_000
"""Of SQLite's virtual machine, a second or two: the same answer gets the same verdict on any machine."""
STEPS_AT_ONCE = 1_000
MAX_ROWS = 10_000
MAX_VALUE_BYTES = 1_000_000
TOLERANCE = 1e-6
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_PASSED_OVER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)


def compare(task: Mapping[str, Any]) -> dict[str, Any]:
    """Run the fixture, the reference and the answer, and compare the rows of the two."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(task["fixture"])
    except (sqlite3.Error, sqlite3.Warning) as error:
        return {"fault": f"the fixture fails: {error}"}
    connection.commit()
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.set_authorizer(_authorise)
    try:
        wanted = rows_of(connection, task["reference"], MAX_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        return {"fault": f"the reference fails: {error}"}
    if len(wanted) > MAX_ROWS:
        return {"fault": f"the reference gives more than {MAX_ROWS} rows"}
    try:
        said = rows_of(connection, task["answer"], len(wanted) + 1)
    except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError):
        return {"equal": False}
    return {"equal": are_equal(said, wanted, ordered=is_ordered(task["reference"]))}


def rows_of(connection: sqlite3.Connection, query: str, most: int) -> list[Row]:
    """The first rows of one query; sqlite3.OperationalError where it takes more than MAX_STEPS, or is none."""
    connection.set_progress_handler(_counter(MAX_STEPS // STEPS_AT_ONCE), STEPS_AT_ONCE)
    try:
        cursor = connection.execute(query)
        if cursor.description is None:
            raise sqlite3.OperationalError("it is no query")
        return cursor.fetchmany(most)
    finally:
        connection.set_progress_handler(None, STEPS_AT_ONCE)


def are_equal(said: Sequence[Row], wanted: Sequence[Row], *, ordered: bool) -> bool:
    """Whether two lists of rows hold the same; numbers within a millionth, names of columns aside."""
    if len(said) != len(wanted):
        return False
    if not ordered:
        said, wanted = sorted(said, key=_key), sorted(wanted, key=_key)
    return all(
        len(left) == len(right) and all(map(_are_same, left, right)) for left, right in zip(said, wanted, strict=True)
    )


def is_ordered(query: str) -> bool:
    """Whether the outermost query has an ORDER BY: inside brackets, texts and comments it orders no result."""
    bare = _PASSED_OVER.sub(" ", query)
    depth, outer = 0, []
    for character in bare:
        depth += {"(": 1, ")": -1}.get(character, 0)
        outer.append(character if depth == 0 else " ")
    return re.search(r"\border\s+by\b", "".join(outer), re.IGNORECASE) is not None


def _authorise(action: int, _first: Any, second: Any, *_: Any) -> int:
    if action not in ALLOWED or second == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _counter(turns: int) -> Callable[[], int]:
    left = iter(range(turns))
    return lambda: 0 if next(left, None) is not None else 1


def _key(row: Row) -> list[tuple[int, str]]:
    """Sorts rows of any values; numbers by six digits, so that two that count as the same stand at the same place."""
    return [
        (0, "") if value is None else (1, f"{value:.6g}") if _is_number(value) else (2, repr(value)) for value in row
    ]


def _are_same(left: Any, right: Any) -> bool:
    if _is_number(left) and _is_number(right):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


if __name__ == "__main__":
    json.dump(compare(json.load(sys.stdin)), sys.stdout)
