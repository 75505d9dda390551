"""SPROUT as published (CARROT-LLM-Routing/SPROUT): one row per prompt, one struct per model; prices stand apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tenbin.errors import DataError
from tenbin.outcomes.layout import Layout, field_of, model_cell, struct_number, text
from tenbin.outcomes.source import Source

NEEDED = frozenset({"score", "num_output_tokens"})
MARKS = NEEDED | {"num_input_tokens", "response"}
"""Of these a struct of something else, a judge's or an F1, has one at most."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_INNERMOST = re.compile(r"\([^()]*\)")
SPLIT_OF_FILE: Mapping[str, str] = {"train": "train", "validation": "calibration", "test": "test"}


def matches(source: Source) -> bool:
    """A `prompt` column and at least one struct column with `score` and `num_output_tokens`."""
    return "prompt" in source.types and bool(_models(source))


def layouts(sources: Sequence[Source]) -> list[Layout]:
    """Each file read as SPROUT; files of several splits in one folder give the split."""
    splits = [_split(source) for source in sources]
    known = len(set(splits)) > 1 and None not in splits
    return [_layout(source, split if known else None) for source, split in zip(sources, splits, strict=True)]


def _layout(source: Source, split: str | None) -> Layout:
    models = _models(source)
    fields = {model: _fields(source.types[model]) for model in models}
    if not models or "prompt" not in source.types:
        raise DataError(
            "is not SPROUT: it needs a prompt column and a struct {score, num_output_tokens, ...} per model",
            where=str(source.path),
            fix="give SPROUT's Parquet files, or leave --format out",
        )
    _refuse_halves(source)
    return Layout(
        source=source,
        scanned=(*(name for name in ("key", "prompt", "dataset") if name in source.types), *models),
        cells=tuple(
            model_cell(
                model,
                {
                    ours: struct_number(field_of(source.column(model), theirs), f"{model}.{theirs}")
                    for ours, theirs in (
                        ("quality", "score"),
                        ("input_tokens", "num_input_tokens"),
                        ("output_tokens", "num_output_tokens"),
                    )
                    # One that is null in the whole file has the Parquet type null, which no struct gives out.
                    if fields[model].get(theirs, "NULL") != "NULL"
                },
            )
            for model in models
        ),
        prompt=text(source, "prompt"),
        query_id=text(source, "key") if "key" in source.types else None,
        group=text(source, "dataset") if "dataset" in source.types else "NULL",
        split=f"'{split}'" if split else "NULL",
        columns={"prompt": "prompt"},
    )


def _models(source: Source) -> list[str]:
    return sorted(name for name, kind in source.types.items() if _fields(kind).keys() >= NEEDED)


def _refuse_halves(source: Source) -> None:
    """A model without its scores or its tokens would be left out, and nobody told."""
    for name, kind in sorted(source.types.items()):
        there = _fields(kind).keys() & MARKS
        missing = sorted(NEEDED - there)
        if missing and len(there) > 1:
            raise DataError(
                f'has a model "{name}" without {" and ".join(missing)}',
                where=str(source.path),
                fix="add what is missing, as null where it is not known, or leave this column out",
            )


def _fields(kind: str) -> dict[str, str]:
    """The fields of a struct by name, each with the beginning of its type; of names in quotes only the quotes."""
    if not (kind.startswith("STRUCT(") and kind.endswith(")")):
        return {}
    inside, n = _QUOTED.sub('""', kind[len("STRUCT(") : -1].replace(' "NULL"', " NULL")), 1
    while n:
        inside, n = _INNERMOST.subn("", inside)
    return dict(field.split(" ", 1) for field in inside.split(", "))


def _split(source: Source) -> str | None:
    # As its authors name them (train-00000-of-00001.parquet), and as the hub's converter does (default-train-0000).
    words = re.split(r"[^a-z]+", source.path.name.lower())
    return next((SPLIT_OF_FILE[word] for word in words if word in SPLIT_OF_FILE), None)
