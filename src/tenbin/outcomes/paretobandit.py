"""The ParetoBandit JSONL as published: one line per prompt, `arms` maps each model to its reward and its dollars."""

# SQL is put together from our own words and quoted names (`identifier`, `literal`); no value of a user is in it.
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tenbin.errors import DataError
from tenbin.outcomes.layout import Layout, Number, json_number, model_cell, text
from tenbin.outcomes.source import Source, literal

if TYPE_CHECKING:
    import duckdb


def matches(source: Source) -> bool:
    """JSON lines with `prompt` and an object `arms`."""
    return "prompt" in source.types and isinstance(source.samples.get("arms"), dict)


def layout(source: Source, con: duckdb.DuckDBPyConnection) -> Layout:
    """Read the file; quality = reward, cost_usd = cost, group = source, the id comes from the prompt."""
    if not matches(source):
        raise DataError(
            'is not ParetoBandit data: each line needs {"prompt": ..., "arms": {MODEL: {"reward", "cost"}}}',
            where=str(source.path),
            fix="leave --format out",
        )
    arms = source.column("arms")
    models = _models(source, con)
    scanned = ("prompt", "arms", "source") if "source" in source.types else ("prompt", "arms")

    def number(model: str, field: str) -> Number:
        arm = f"json_extract({arms}, {literal('/' + model.replace('~', '~0').replace('/', '~1'))})"
        found = json_number(f"json_extract({arm}, {literal('/' + field)})", f"arms.{model}.{field}", truth=False)
        # Of a list nothing can be taken by name: the line would pass for one without labels.
        bad = " OR ".join(f"coalesce(json_type({it}) NOT IN ('OBJECT', 'NULL'), false)" for it in (arms, arm))
        return replace(found, raw_if_bad=f"CASE WHEN {bad} THEN {arms}::VARCHAR ELSE {found.raw_if_bad} END")

    return Layout(
        source=source,
        scanned=scanned,
        cells=tuple(
            model_cell(model, {"quality": number(model, "reward"), "cost_usd": number(model, "cost")})
            for model in models
        ),
        prompt=text(source, "prompt"),
        group=text(source, "source") if "source" in source.types else "NULL",
        columns={"prompt": "prompt"},
    )


def _models(source: Source, con: duckdb.DuckDBPyConnection) -> list[str]:
    import duckdb  # noqa: PLC0415

    arms = source.column("arms")
    sql = f"SELECT DISTINCT unnest(json_keys({arms})) FROM ({source.scan(['arms'])}) WHERE json_type({arms}) = 'OBJECT'"
    try:
        return sorted(str(row[0]) for row in con.execute(sql).fetchall())
    except duckdb.Error as error:
        raise source.explain() from error
