"""A pilot as a table for others: with its prompts, with their hashes, or without; never with a key or a path in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tenbin.errors import UsageError
from tenbin.outcomes.identity import hidden_prompt
from tenbin.outcomes.write import TableRow, write_outcomes
from tenbin.outcomes.write_sprout import SproutTexts, write_sprout
from tenbin.pilot.results import Results
from tenbin.types import Query

Layout = Literal["outcomes", "sprout"]
Prompts = Literal["kept", "hashed", "dropped"]


def export_table(results: Results, path: Path, layout: Layout = "outcomes", prompts: Prompts = "kept") -> list[Path]:
    """Write the outcome table to a file, or SPROUT's layout to a new folder; the files written.

    "hashed": in place of a prompt stands `sha256:` and the first 24 hex digits of the SHA-256 of its normalised text,
    by which copies of a prompt still find each other. "dropped": nothing stands there, and ids are numbers; the
    table can then be counted, but no longer be fitted. In both cases answers, golden answers and turns are left out.
    Raises UsageError where there is no answer, or where the place cannot be written.
    """
    rows = results.rows()
    if not rows:
        raise UsageError("the pilot has no answer yet", fix="run it first: tenbin pilot run NAME")
    if layout == "sprout":
        if prompts == "dropped":
            raise UsageError("SPROUT's layout needs a prompt in every row", fix="use --hash-prompts")
        return write_sprout(path, _without_texts(rows, prompts), _texts(results, prompts))
    write_outcomes(path, _without_texts(rows, prompts))
    return [path]


def _without_texts(rows: Sequence[TableRow], prompts: Prompts) -> list[TableRow]:
    if prompts == "kept":
        return list(rows)
    numbers = {query_id: i for i, query_id in enumerate(sorted({row.query.query_id for row in rows}, key=_shuffled))}
    made = []
    for row in rows:
        query = Query(row.query.query_id, hidden_prompt(row.query), group=row.query.group)
        if prompts == "dropped":
            query = Query(f"q{numbers[row.query.query_id]}", group=row.query.group)
        made.append(TableRow(query, replace(row.outcome, query_id=query.query_id), row.split))
    return made


def _shuffled(query_id: str) -> str:
    """An order that does not give away that of the prompts' file."""
    return hashlib.sha256(query_id.encode("utf-8", "surrogatepass")).hexdigest()


def _texts(results: Results, prompts: Prompts) -> SproutTexts:
    if prompts != "kept":
        return SproutTexts({}, {})
    references = {prompt.query_id: prompt.reference for prompt in results.prompts if prompt.reference is not None}
    answers = {(q, model): answer.bought.answer for (q, model, repeat), answer in results.answers.items() if not repeat}
    return SproutTexts(references, answers)
