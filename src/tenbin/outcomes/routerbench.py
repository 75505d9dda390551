"""RouterBench as published (withmartian/routerbench): one row per prompt, a score and a dollar column per model."""

from __future__ import annotations

from tenbin.errors import DataError
from tenbin.outcomes.layout import Layout, model_cell, number, text
from tenbin.outcomes.source import Source

COST = "|total_cost"
ANSWER = "|model_response"


def matches(source: Source) -> bool:
    """A `prompt` column and at least one pair of columns MODEL and MODEL|total_cost."""
    return "prompt" in source.types and bool(_models(source))


def layout(source: Source) -> Layout:
    """Read a Parquet, CSV or JSONL copy of RouterBench's wide table; its dollars are at the prices of its day."""
    models = _models(source)
    if not models or "prompt" not in source.types:
        raise DataError(
            "is not RouterBench: it needs a prompt column and columns MODEL and MODEL|total_cost",
            where=str(source.path),
            fix="give a wide RouterBench table (not the raw one), or leave --format out",
        )
    _refuse_halves(source)
    return Layout(
        source=source,
        scanned=(
            *(name for name in ("sample_id", "prompt", "eval_name") if name in source.types),
            *models,
            *(model + COST for model in models),
        ),
        cells=tuple(
            model_cell(
                model,
                {"quality": number(source, model, truth=True), "cost_usd": number(source, model + COST)},
            )
            for model in models
        ),
        prompt=text(source, "prompt"),
        query_id=text(source, "sample_id") if "sample_id" in source.types else None,
        group=text(source, "eval_name") if "eval_name" in source.types else "NULL",
        columns={"prompt": "prompt"},
    )


def _models(source: Source) -> list[str]:
    return sorted(name for name in source.types if name + COST in source.types)


def _refuse_halves(source: Source) -> None:
    """A model without its scores or its dollars would be left out, and nobody told."""
    named = {column.removesuffix(part) for column in source.types for part in (COST, ANSWER) if column.endswith(part)}
    for model in sorted(named):
        for missing, there in ((model, model + COST), (model + COST, model)):
            if there in source.types and missing not in source.types:
                raise DataError(
                    f'has a column "{there}" and none "{missing}"',
                    where=str(source.path),
                    fix="add it, or leave out all columns of this model",
                )
