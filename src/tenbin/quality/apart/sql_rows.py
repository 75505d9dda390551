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
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, groupby, pairwise
from typing import Any

Row = Sequence[Any]
Rank = tuple[int, float, str]

MAX_STEPS = 20_000_000
"""Of SQLite's virtual machine, a second or two: the same answer gets the same verdict on any machine."""
STEPS_AT_ONCE = 1_000
MAX_ROWS = 10_000
MAX_VALUE_BYTES = 1_000_000
TOLERANCE = 1e-6
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_PASSED_OVER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)

_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
_BEHIND_ORDER = re.compile(r"\blimit\b|;", re.IGNORECASE)
_DIRECTION = re.compile(r"\s+(?:asc|desc)\b|\s+nulls\s+(?:first|last)\b", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)
_COMPOUND = re.compile(r"\b(?:union|intersect|except|distinct)\b", re.IGNORECASE)
"""What more columns would change the rows of."""


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
        names, wanted = result_of(connection, task["reference"], MAX_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        return {"fault": f"the reference fails: {error}"}
    if len(wanted) > MAX_ROWS:
        return {"fault": f"the reference gives more than {MAX_ROWS} rows"}
    try:
        said = result_of(connection, task["answer"], len(wanted) + 1)[1]
    except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError):
        return {"equal": False}
    return {"equal": are_equal(said, wanted, runs_of(connection, task["reference"], names, wanted))}


def result_of(connection: sqlite3.Connection, query: str, most: int) -> tuple[list[str], list[Row]]:
    """The columns of one query and its first rows; sqlite3.OperationalError where it takes too long, or is none."""
    connection.set_progress_handler(_counter(MAX_STEPS // STEPS_AT_ONCE), STEPS_AT_ONCE)
    try:
        cursor = connection.execute(query)
        if cursor.description is None:
            raise sqlite3.OperationalError("it is no query")
        return [column[0].lower() for column in cursor.description], cursor.fetchmany(most)
    finally:
        connection.set_progress_handler(None, STEPS_AT_ONCE)


def are_equal(said: Sequence[Row], wanted: Sequence[Row], runs: Sequence[int]) -> bool:
    """Whether two lists of rows hold the same, in any order within each of the `runs` (lengths) of the wanted ones.

    Whole numbers count exactly, others within a millionth, names of columns do not.
    """
    if len(said) != len(wanted):
        return False
    ends = list(accumulate(runs, initial=0))
    key = _sorting([*said, *wanted])
    said = [row for begin, end in pairwise(ends) for row in sorted(said[begin:end], key=key)]
    wanted = [row for begin, end in pairwise(ends) for row in sorted(wanted[begin:end], key=key)]
    return all(
        len(left) == len(right) and all(map(_are_same, left, right)) for left, right in zip(said, wanted, strict=True)
    )


def runs_of(connection: sqlite3.Connection, query: str, names: Sequence[str], rows: Sequence[Row]) -> list[int]:
    """How many of the rows of a query stand in any order, run by run: all, or those that its ORDER BY does not part.

    Its terms are read off the result where they are columns of it, else off the same query that gives them, too; where
    neither can be, each row is a run of its own.
    """
    outer = _outermost(query)
    order = [*_ORDER.finditer(outer)]
    if not order:
        return [len(rows)]
    try:
        terms = _terms(query, outer, order[-1].end())
        keys = _keys(connection, query, names, rows, terms)
    except sqlite3.Error:
        return [1] * len(rows)
    return [len([*run]) for _, run in groupby(keys)]


def _terms(query: str, outer: str, begin: int) -> list[str]:
    """What stands behind an ORDER BY, between its commas, without the directions."""
    behind = _BEHIND_ORDER.search(outer, begin)
    end = behind.start() if behind else len(query)
    cuts = [begin - 1, *(comma.start() for comma in re.finditer(",", outer) if begin <= comma.start() < end), end]
    return [_DIRECTION.sub("", query[before + 1 : behind]).strip() for before, behind in pairwise(cuts)]


def _keys(
    connection: sqlite3.Connection, query: str, names: Sequence[str], rows: Sequence[Row], terms: Sequence[str]
) -> list[list[Any]]:
    """What terms sort each of the rows by (sqlite3.Error where that cannot be told)."""
    own = [_place(term, names) for term in terms]
    more = [term for term, place in zip(terms, own, strict=True) if place is None]
    found = rows
    if more:
        outer = _outermost(query)
        source = _FROM.search(outer)
        if source is None or _COMPOUND.search(outer):
            raise sqlite3.OperationalError("it has no place for more columns")
        also = "".join(f", ({term})" for term in more)
        wider = f"{query[: source.start()]}{also} {query[source.start() :]}"
        found = result_of(connection, wider, len(rows))[1]
        if [row[: len(names)] for row in found] != rows:
            raise sqlite3.OperationalError("more columns make it another query")
    extra = iter(range(len(names), len(names) + len(more)))
    places = [next(extra) if place is None else place for place in own]
    return [[row[place] for place in places] for row in found]


def _place(term: str, names: Sequence[str]) -> int | None:
    """The column of the result that a term of an ORDER BY is, by number or name."""
    bare = term.strip('"`[]').lower()
    if term.isdigit():
        return int(term) - 1
    return names.index(bare) if bare in names else None


def _outermost(query: str) -> str:
    """The query with blanks for all that stands inside brackets, texts, quoted names and comments."""
    bare = _PASSED_OVER.sub(lambda passed: " " * len(passed[0]), query)
    depth, outer = 0, []
    for character in bare:
        depth += {"(": 1, ")": -1}.get(character, 0)
        outer.append(character if depth == 0 else " ")
    return "".join(outer)


def _authorise(action: int, _first: Any, second: Any, *_: Any) -> int:
    if action not in ALLOWED or second == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _counter(turns: int) -> Callable[[], int]:
    left = iter(range(turns))
    return lambda: 0 if next(left, None) is not None else 1


def _sorting(rows: Iterable[Row]) -> Callable[[Row], tuple[list[Rank], list[Rank]]]:
    """A key that sorts rows of any values, of the answer as of the reference; `rows` are all of both.

    First by what counts as the same, so that a last digit decides nothing before the columns behind it; then by the
    values themselves, so that the same rows come out in the same order.
    """
    numbers = sorted({value for row in rows for value in row if _is_number(value)})
    starts = (not _are_same(before, number) for before, number in pairwise(numbers))
    group = dict(zip(numbers, accumulate(starts, initial=0), strict=False))

    def rank(value: Any, number: float) -> Rank:
        return (0, 0, "") if value is None else (1, number, "") if _is_number(value) else (2, 0, repr(value))

    return lambda row: ([rank(value, group.get(value, 0)) for value in row], [rank(value, value) for value in row])


def _are_same(left: Any, right: Any) -> bool:
    if _is_number(left) and _is_number(right) and not (isinstance(left, int) and isinstance(right, int)):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


if __name__ == "__main__":
    json.dump(compare(json.load(sys.stdin)), sys.stdout)
