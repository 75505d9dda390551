"""The outcome table itself: one row per query and model (format name "outcomes")."""

from __future__ import annotations

from collections.abc import Mapping

from tenbin.outcomes.columns import NUMBERS, TEXTS, resolve
from tenbin.outcomes.layout import Layout, is_nested, json_text, number, one_cell, text
from tenbin.outcomes.source import Source


def layout(source: Source, mapping: Mapping[str, str] | None) -> Layout:
    """Read a source as the outcome table, with columns renamed by `mapping` (our name -> theirs)."""
    found = resolve(mapping, list(source.types), str(source.path))
    used = {ours: theirs for ours, theirs in found.items() if ours in (*TEXTS, *NUMBERS)}
    numbers = {ours: number(source, used[ours], truth=ours == "quality") for ours in NUMBERS if ours in used}

    def said(ours: str) -> str:
        return text(source, used[ours]) if ours in used else "NULL"

    return Layout(
        source=source,
        scanned=tuple(used.values()),
        cells=(one_cell(numbers, said("model")),),
        prompt=said("prompt"),
        nested=is_nested(source, used["prompt"]) if "prompt" in used else "false",
        messages=json_text(source, used["messages"]) if "messages" in used else "NULL",
        query_id=said("query_id") if "query_id" in used else None,
        group=said("group"),
        split=said("split"),
        wide=False,
        columns=used,
    )
