"""A query gives the rows that the reference query gives."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from sqlite3 import complete_statement
from typing import Any

from tenbin.errors import ConfigError, DataError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import run_apart

CPU_S = 10
MEMORY_BYTES = 1 << 30
MAX_CHARACTERS = 100_000
READING = 3
"""Counts up with every change of a verdict (`identity`)."""
_BEGIN = r"(?:select\b|values\s*\(|with\s+(?:recursive\s+)?[\w\"`]+\s*(?:\([^()]*\)\s*)?as\b)"
_QUERIES = tuple(re.compile(before + _BEGIN, re.IGNORECASE | re.MULTILINE) for before in (r"^[ \t]*", r"\b"))
"""Where a query begins: with its line, else within one."""
_ANOTHER = re.compile(r"\s*(?:select|insert|update|delete|drop|create|alter|attach|pragma)\b", re.IGNORECASE)
MOST_SEMICOLONS = 20
"""Of so many at most one has to end the query: a long answer must not take for ever."""
_NOTHING = "SELECT 1"


class SqlRows:
    """1 where the answer's query gives the reference query's rows on the tables that `fixture` makes.

    In SQLite, in memory, in a process of its own: queries may read and nothing else, and take so many steps at most.
    The order of rows counts where the reference has an ORDER BY. Raises ConfigError for a fixture that fails.
    """

    def __init__(self, fixture: Path) -> None:
        try:
            self._fixture = Path(fixture).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the fixture {fixture} cannot be read ({error})", fix="check the path") from None
        self.name = identity("sql", {"fixture": self._fixture}, READING)
        fault = self._compare(_NOTHING, _NOTHING).get("fault")
        if fault is not None:
            raise ConfigError(f"{fault} ({fixture})", fix="it has to run in SQLite")

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None without a reference. Raises DataError for a reference that fails."""
        if reference is None:
            return None
        found = self._compare(query_of(reference), query_of(answer))
        if "fault" in found:
            raise DataError(found["fault"])
        return float(found["equal"])

    def _compare(self, reference: str, answer: str) -> dict[str, Any]:
        task = {"fixture": self._fixture, "reference": reference, "answer": answer}
        return run_apart("sql_rows", task, cpu_s=CPU_S, memory_bytes=MEMORY_BYTES)


def query_of(answer: str) -> str:
    """The last query between fences, else from the first SELECT or WITH … AS of the text to the end of that statement.

    >>> query_of("You want:\\n```sql\\nSELECT 1;\\n```\\nThat is all."), query_of("With this: select 2; It is two.")
    ('SELECT 1;', 'select 2;')
    """
    blocks = fenced(answer, {"sql", "sqlite"})
    text = blocks[-1] if blocks else answer
    found = next((found for query in _QUERIES if (found := query.search(text))), None)
    return (_statement(text[found.start() :]) if found and not blocks else text).strip()[:MAX_CHARACTERS]


def _statement(text: str) -> str:
    """Up to the semicolon that ends the statement; all where there is none, or where another statement follows."""
    for semicolon in islice(re.finditer(";", text[:MAX_CHARACTERS]), MOST_SEMICOLONS):
        if complete_statement(text[: semicolon.end()]):
            return text if _ANOTHER.match(text, semicolon.end()) else text[: semicolon.end()]
    return text
