"""The answer is JSON, and of the shape that was asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tenbin.errors import ConfigError, DataError, MissingExtraError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import run_apart
from tenbin.quality.thoughts import without_thoughts

MAX_CHARACTERS = 1_000_000
CPU_S = 2
MEMORY_BYTES = 1 << 30
READING = 3
"""Counts up with every change of a verdict (`identity`)."""


class JsonSchema:
    """1 where the answer, or the first block in it between fences, is JSON that the schema allows.

    `schema` is a file; without one each prompt's reference is its schema. References to other addresses are never
    fetched. Patterns and long lists may take for ever, so each check runs in a process of its own, for 2 s of computing
    at most; then the metric cannot tell. Needs `pip install "tenbin[schema]"`; raises ConfigError for a file that is no
    JSON Schema.
    """

    def __init__(self, schema: Path | None = None) -> None:
        try:
            import jsonschema  # noqa: F401, PLC0415 (an extra, and slow to import)
        except ImportError:
            what = "the metric json_schema needs the package jsonschema"
            raise MissingExtraError(what, fix='run: pip install "tenbin[schema]"') from None
        self._schema: str | None = None
        self.name = identity("json_schema", {}, READING)
        if schema is not None:
            try:
                text = Path(schema).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"the schema {schema} cannot be read ({error})", fix="check the path") from None
            try:
                is_allowed(text, None)
            except DataError as error:
                raise ConfigError(f"{schema}: {error.what}", fix="correct the schema") from None
            self._schema = text
            self.name = identity("json_schema", {"schema": json.loads(text)}, READING)

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None where neither a file nor the reference is a schema."""
        schema = reference if self._schema is None else self._schema
        if schema is None:
            return None
        values = json_in(without_thoughts(answer)[:MAX_CHARACTERS])
        if not values and self._schema is not None:  # which was found to be a schema when the metric was made
            return 0.0
        valid = is_allowed(schema, values[0] if values else None)
        return float(valid and bool(values))


def is_allowed(schema: str, value: Any) -> bool:
    """Whether the schema of a text allows a value; DataError where it is none, or cannot be applied."""
    task = {"schema": schema, "value": value, "path": sys.path}
    try:
        found = run_apart("json_check", task, cpu_s=CPU_S, memory_bytes=MEMORY_BYTES)
    except RecursionError:
        raise DataError("the answer is nested too deeply to be checked") from None
    if "fault" in found:
        raise DataError(found["fault"])
    return bool(found["valid"])


def json_in(answer: str) -> list[Any]:
    """The JSON values of an answer: the whole of it, or the blocks between fences that are JSON.

    >>> json_in('Here you are:\\n```json\\n{"a": 1}\\n```'), json_in("NaN"), json_in("{'a': 1}")
    ([{'a': 1}], [], [])
    """
    found = []
    for text in (answer, *fenced(answer, {"json", "jsonc", "json5"})):
        try:
            found.append(json.loads(text, parse_constant=_refuse))
        except (ValueError, RecursionError):
            continue
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
