"""Write outcomes in the layout of SPROUT: one row per prompt, one struct per model, one file per split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.errors import UsageError
from tenbin.outcomes.identity import whole_text
from tenbin.outcomes.source import identifier
from tenbin.outcomes.sprout import SPLIT_OF_FILE
from tenbin.outcomes.write import TableRow, write_parquet
from tenbin.replacement import replacement

COLUMNS = ("key", "dataset", "prompt", "golden_answer")
FIELDS = "num_input_tokens BIGINT, num_output_tokens BIGINT, response VARCHAR, score DOUBLE"


@dataclass(frozen=True, slots=True)
class SproutTexts:
    """What SPROUT holds beside the outcome table: golden answers by query, answers by (query, model)."""

    references: Mapping[str, str]
    answers: Mapping[tuple[str, str], str]


def write_sprout(folder: Path, rows: Sequence[TableRow], said: SproutTexts) -> list[Path]:
    """Write the rows into a new folder, whole or not at all: train, validation and test, as far as there are rows.

    Dollars, seconds and propensities have no place in SPROUT. Raises UsageError where the folder exists, where it
    cannot be written, or where two models' names differ in nothing but case, which Parquet cannot tell apart.
    """
    models = sorted({row.outcome.model for row in rows})
    _check_names(models)
    if folder.exists():
        raise UsageError("exists already", where=str(folder), fix="name a new folder")
    names = []
    try:
        with replacement(folder) as beside:
            beside.mkdir()
            for name, split in SPLIT_OF_FILE.items():
                inside = [row for row in rows if (row.split or "train") == split]
                if inside:
                    names.append(f"{name}.parquet")
                    write_parquet(beside / names[-1], _types(models), _wide(inside, models, said))
    except OSError as error:
        raise UsageError(f"cannot be written ({error.strerror})", where=str(folder), fix="name another") from error
    return [folder / name for name in names]


def _types(models: Sequence[str]) -> dict[str, str]:
    return {**dict.fromkeys(COLUMNS, "VARCHAR"), **dict.fromkeys(models, f"STRUCT({FIELDS})")}


def _wide(rows: Sequence[TableRow], models: Sequence[str], said: SproutTexts) -> list[dict[str, Any]]:
    wide: dict[str, dict[str, Any]] = {}
    for row in rows:
        query, outcome = row.query, row.outcome
        line = wide.setdefault(
            query.query_id,
            {
                "key": query.query_id,
                "dataset": query.group,
                "prompt": whole_text(query),
                "golden_answer": said.references.get(query.query_id),
                **dict.fromkeys(models),
            },
        )
        line[outcome.model] = {
            "num_input_tokens": _whole(outcome.input_tokens),
            "num_output_tokens": _whole(outcome.output_tokens),
            "response": said.answers.get((query.query_id, outcome.model)),
            "score": outcome.quality,
        }
    return list(wide.values())


def _whole(tokens: float | None) -> int | None:
    return None if tokens is None else round(tokens)


def _check_names(models: Sequence[str]) -> None:
    lowered = Counter(name.lower() for name in (*COLUMNS, *models))
    twice = [model for model in models if lowered[model.lower()] > 1]
    if twice:
        raise UsageError(
            f"the columns of Parquet cannot tell {', '.join(identifier(name) for name in twice)} from another name",
            fix="use --layout outcomes, which has models in rows",
        )
