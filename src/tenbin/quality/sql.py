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
from tenbin.quality.thoughts import without_thoughts

CPU_S = 10
MEMORY_BYTES = 1 << 30
MAX_CHARACTERS = 100_000
READING = 5
"""Counts up with every change of a verdict (`identity`)."""
_BEGIN = r"(?:select\b|values\s*\(|with\s+(?:recursive\s+)?[\w\"`]+\s*(?:\([^()]*\)\s*)?as\b)"
_QUERIES = tuple(re.compile(before + _BEGIN, re.IGNORECASE | re.MULTILINE) for before in (r"^[ \t]*", r"\b"))
"""Where a query begins: with its line, else within one."""
LANGUAGES = frozenset({"sql", "sqlite", "sqlite3", "postgresql", "postgres", "psql", "mysql", "mariadb", "tsql"})
_ANOTHER = re.compile(r"\s*(?:select|insert|update|delete|drop|create|alter|attach|pragma)\b", re.IGNORECASE)
MOST_SEMICOLONS = 20
"""Of so many at most one has to end the query: a long answer must not take for ever."""
_WORDS = re.compile(
    r"\n[ \t]*\n(?!\s*(?:[-(),/;]|(?:from|where|group|having|window|order|limit|offset|union|intersect|except|join"
    r"|inner|left|right|full|cross|natural|on|using|and|or|case|when|then|else|end|select|values|with)\b))",
    re.IGNORECASE,
)
"""A blank line behind which a query without a semicolon does not go on."""
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

    That is its semicolon, the backtick that ends what one has begun, or a blank line with other words behind it.

    >>> query_of("You want:\\n```sql\\nSELECT 1;\\n```\\nThat is all."), query_of("With this: select 2; It is two.")
    ('SELECT 1;', 'select 2;')
    """
    answer = without_thoughts(answer)
    blocks = fenced(answer, LANGUAGES)
    if blocks:
        text = next((block for block in reversed(blocks) if _begin(block) is not None), blocks[-1])
        return text.strip()[:MAX_CHARACTERS]
    text = answer.replace("\r\n", "\n")
    start = _begin(text)
    return (text if start is None else _statement(_unquoted(text, start))).strip()[:MAX_CHARACTERS]


def _begin(text: str) -> int | None:
    """Where the first query of a text begins."""
    found = next((found for query in _QUERIES if (found := query.search(text))), None)
    return None if found is None else found.start()


def _unquoted(text: str, start: int) -> str:
    """From there to the end, or to the backticks that close those in front of it."""
    before = text[:start]
    ticks = before[len(before.rstrip("`")) :]
    return text[start:].partition(ticks)[0] if ticks else text[start:]


def _statement(text: str) -> str:
    """Up to the semicolon that ends the statement, else to other words; all where another statement follows."""
    for semicolon in islice(re.finditer(";", text[:MAX_CHARACTERS]), MOST_SEMICOLONS):
        if complete_statement(text[: semicolon.end()]):
            return text if _ANOTHER.match(text, semicolon.end()) else text[: semicolon.end()]
    return _WORDS.split(text, maxsplit=1)[0]
