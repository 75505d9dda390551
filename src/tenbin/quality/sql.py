"""A query gives the rows that the reference query gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tenbin.errors import ConfigError, DataError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import run_apart

CPU_S = 10
MEMORY_BYTES = 1 << 30
MAX_CHARACTERS = 100_000
_QUERY = re.compile(r"\b(?:select|with|values)\b.*", re.IGNORECASE | re.DOTALL)
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
        self.name = identity("sql", {"fixture": self._fixture})
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
    """The last query between fences, else what begins with the first SELECT or WITH of the text.

    >>> query_of("You want:\\n```sql\\nSELECT 1;\\n```\\nThat is all."), query_of("Use select 2")
    ('SELECT 1;', 'select 2')
    """
    blocks = fenced(answer, {"sql", "sqlite"})
    text = blocks[-1] if blocks else answer
    found = _QUERY.search(text)
    return (found[0] if found and not blocks else text).strip()[:MAX_CHARACTERS]
