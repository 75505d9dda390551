"""RouteLLM's evaluation CSVs as published (lm-sys/RouteLLM, evals/*): `prompt` and a True/False column per model."""

from __future__ import annotations

from itertools import chain

from tenbin.errors import DataError
from tenbin.outcomes.columns import COLUMNS, OTHERS_NAMES
from tenbin.outcomes.layout import Layout, model_cell, number, text
from tenbin.outcomes.source import Source, literal

ANSWER = "_response"


def matches(source: Source) -> bool:
    """A CSV whose first column is `prompt` and whose others are models, with or without their `MODEL_response`."""
    names = list(source.types)
    return (
        source.kind == "csv"
        and names[:1] == ["prompt"]
        and _says_of_rows().isdisjoint(name.strip().lower() for name in names)
        and len(_models(source)) >= 2
    )


def layout(source: Source) -> Layout:
    """Read one of the CSVs; the group is the file's name (mmlu_anatomy, gsm8k), the id comes from the prompt."""
    models = _models(source)
    if "prompt" not in source.types or not models:
        raise DataError(
            "is not a RouteLLM evaluation CSV: it needs a prompt column and a True/False column per model",
            where=str(source.path),
            fix="leave --format out, or rename columns with --map",
        )
    group = source.path.name.split(".")[0].removesuffix("_responses")
    return Layout(
        source=source,
        scanned=("prompt", *models),
        cells=tuple(model_cell(model, {"quality": number(source, model, truth=True)}) for model in models),
        prompt=text(source, "prompt"),
        group=literal(group),
        columns={"prompt": "prompt"},
    )


def _says_of_rows() -> set[str]:
    """Names of columns that say something of a row; beside them, columns are not models."""
    return {*COLUMNS, *chain.from_iterable(OTHERS_NAMES.values())} - {"prompt"}


def _models(source: Source) -> list[str]:
    return sorted(
        name
        for name in source.types
        if name and name != "prompt" and not (name.endswith(ANSWER) and name.removesuffix(ANSWER) in source.types)
    )
