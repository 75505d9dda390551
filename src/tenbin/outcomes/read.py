"""One function reads every format of outcomes that Tenbin knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tenbin.errors import DataError, UsageError, did_you_mean
from tenbin.outcomes import long_table, paretobandit, routellm, routerbench, sprout
from tenbin.outcomes.layout import Layout
from tenbin.outcomes.load import database, load
from tenbin.outcomes.source import Source, list_files, open_source
from tenbin.types import Panel, Progress

if TYPE_CHECKING:
    import duckdb

FORMATS = ("auto", "outcomes", "sprout", "routerbench", "routellm", "paretobandit")


def read_outcomes(
    path: Path, mapping: Mapping[str, str] | None = None, *, format: str = "auto", progress: Progress | None = None
) -> Panel:
    """Read outcomes from a Parquet, JSONL or CSV file (.gz too for the last two), or a folder of files of one format.

    `mapping` renames columns, our name -> theirs, and makes the format "outcomes". `format` is one of `FORMATS`;
    "auto" tells by the columns. Queries come in order of their id and models in order of their name, so the order of
    rows never matters. Bad input is a DataError that names file, line and column; nothing is half-read. A wrong
    `format` or `mapping` is a UsageError.
    """
    if format not in FORMATS:
        fix = did_you_mean(format, FORMATS) or f"use one of {', '.join(FORMATS)}"
        raise UsageError(f'"{format}" is no format of outcomes', fix=fix)
    if mapping and format not in ("auto", "outcomes"):
        raise UsageError(
            f"a mapping renames columns of the outcome table, not of {format}", fix="leave one of them out"
        )
    files = list_files(Path(path))
    with database() as con:
        sources = [open_source(file, con) for file in files]
        kinds = {source.kind for source in sources}
        if len(kinds) > 1:
            raise DataError(
                f"holds files of several kinds ({', '.join(sorted(kinds))})",
                where=str(path),
                fix="give one of the files",
            )
        chosen = "outcomes" if mapping else _detect(sources) if format == "auto" else format
        return load(con, _layouts(chosen, sources, mapping, con), progress)


def _layouts(
    chosen: str, sources: Sequence[Source], mapping: Mapping[str, str] | None, con: duckdb.DuckDBPyConnection
) -> list[Layout]:
    if chosen == "sprout":
        return sprout.layouts(sources)
    if chosen == "routerbench":
        return [routerbench.layout(source) for source in sources]
    if chosen == "routellm":
        return [routellm.layout(source) for source in sources]
    if chosen == "paretobandit":
        return [paretobandit.layout(source, con) for source in sources]
    return [long_table.layout(source, mapping) for source in sources]


def _detect(sources: Sequence[Source]) -> str:
    for name, matches in (
        ("paretobandit", paretobandit.matches),
        ("routerbench", routerbench.matches),
        ("sprout", sprout.matches),
        ("routellm", routellm.matches),
    ):
        if matches(sources[0]):
            return name
    return "outcomes"
