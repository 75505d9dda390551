"""The answer is JSON, and of the shape that was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tenbin.errors import ConfigError, DataError, MissingExtraError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity

MAX_CHARACTERS = 1_000_000


class JsonSchema:
    """1 where the answer, or the first block in it between fences, is JSON that the schema allows.

    `schema` is a file; without one each prompt's reference is its schema. References to other addresses are never
    fetched. Needs `pip install "tenbin[schema]"`; raises ConfigError for a file that is no JSON Schema.
    """

    def __init__(self, schema: Path | None = None) -> None:
        try:
            import jsonschema  # noqa: F401, PLC0415 (an extra, and slow to import)
        except ImportError:
            what = "the metric json_schema needs the package jsonschema"
            raise MissingExtraError(what, fix='run: pip install "tenbin[schema]"') from None
        self._validator = None
        self.name = "json_schema"
        if schema is not None:
            try:
                text = Path(schema).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"the schema {schema} cannot be read ({error})", fix="check the path") from None
            try:
                self._validator = validator(text)
            except DataError as error:
                raise ConfigError(f"{schema}: {error.what}", fix="correct the schema") from None
            self.name = identity("json_schema", {"schema": json.loads(text)})

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None where neither a file nor the reference is a schema."""
        if self._validator is None and reference is None:
            return None
        checks = self._validator or validator(reference or "")
        try:
            values = json_in(answer[:MAX_CHARACTERS])
            return float(any(checks.is_valid(value) for value in values[:1]))
        except RecursionError:
            raise DataError("the answer is nested too deeply to be checked") from None
        except Exception as error:  # a schema that points to somewhere else
            raise DataError(f"the schema cannot be applied ({type(error).__name__}: {error})") from None


def validator(text: str) -> Any:
    """What checks values against the schema of a text; DataError where it is none."""
    from jsonschema import SchemaError, validators  # noqa: PLC0415
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415

    try:
        schema = json.loads(text)
        if not isinstance(schema, dict | bool):
            raise ValueError("it is neither an object nor true or false")
        kind = validators.validator_for(schema, default=validators.validator_for(True))
        kind.check_schema(schema)
    except (ValueError, RecursionError, SchemaError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise DataError(f"no JSON Schema ({first})", fix="correct it") from None
    return kind(schema, registry=REGISTRY)  # the drafts of JSON Schema themselves; nothing is fetched


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
