"""A file of prompts to choose from, each with the line that it is to be written as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.cli.batch_lines import read_queries
from tenbin.errors import DataError
from tenbin.types import Query

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class PromptLine:
    """One prompt and its JSON line."""

    query: Query
    text: str


def read_prompt_file(path: Path, mapping: Mapping[str, str] | None = None) -> list[PromptLine]:
    """The prompts of a JSONL file, its lines kept as they are, or those of an outcome table (with `model` in it).

    Rows with a split other than "train" are passed over: they are kept for proof. DataError where the file cannot be
    read.
    """
    if mapping is not None or not _is_lines_of_prompts(path):
        return _of_table(path, mapping)
    kept = []
    with path.open("rb") as stream:
        raw = [line.strip() for line in stream if not line.isspace()]
        stream.seek(0)
        for query, line in zip(read_queries(stream, str(path)), raw, strict=True):
            text = line.decode("utf-8-sig")
            record: dict[str, Any] = json.loads(text)
            if record.get("split", TRAIN) == TRAIN:
                kept.append(PromptLine(query, text if "query_id" in record else _written(query)))
    return kept


def _is_lines_of_prompts(path: Path) -> bool:
    """Whether the first line is a JSON object without a `model`."""
    try:
        with path.open("rb") as stream:
            first = json.loads(stream.readline(1_000_000) or b"null")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path), fix="check the path") from None
    except (ValueError, RecursionError):
        return path.suffix == ".jsonl"
    return isinstance(first, dict) and "model" not in first


def _of_table(path: Path, mapping: Mapping[str, str] | None) -> list[PromptLine]:
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415 (duckdb only for tables)

    return [PromptLine(query, _written(query)) for query in read_outcomes(path, mapping).part(TRAIN).queries]


def _written(query: Query) -> str:
    """The query as a line of a prompts file."""
    said: dict[str, Any] = {"query_id": query.query_id}
    said |= {"prompt": query.prompt} if query.messages is None else {"messages": query.messages}
    if query.group is not None:
        said["group"] = query.group
    return json.dumps(said, ensure_ascii=False)
