"""A pilot given away, or to `tenbin fit`: its table with a data card beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tenbin.errors import UsageError
from tenbin.outcomes.write import written_beside
from tenbin.pilot.believed import believed
from tenbin.pilot.data_card import Card, write_card
from tenbin.pilot.export_table import Layout, Prompts, export_table
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.prices import book_at_hand
from tenbin.pilot.results import read_results


@dataclass(frozen=True, slots=True)
class ExportTerms:
    """In which layout, with how much of the prompts, under which licence; `as_graded` leaves grades uncorrected."""

    layout: Layout = "outcomes"
    prompts: Prompts = "kept"
    licence: str | None = None
    as_graded: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and where: the files of the table, the card, and what they hold."""

    files: tuple[Path, ...]
    card: Path
    rows: int
    queries: int
    models: tuple[str, ...]


def export(folder: PilotFolder, out: Path, terms: ExportTerms | None = None) -> Exported:
    """Write the table of a pilot to `out` and its card to `out` with `.card.md` behind it.

    Raises DataError where the pilot cannot be read, UsageError as `export_table` or where the card cannot be written.
    """
    terms = terms or ExportTerms()
    settings, graded = folder.read_settings(), read_results(folder)
    results = graded if terms.as_graded else believed(graded)
    place = out.with_name(f"{out.name}.card.md")
    if not os.access(out.absolute().parent, os.W_OK) or place.is_dir():
        raise UsageError("cannot be written", where=str(place), fix="name another place")
    files = export_table(results, out, terms.layout, terms.prompts)
    book = book_at_hand(settings)
    card = Card(
        name=folder.name,
        settings=settings,
        results=results,
        plan=folder.read_plan(),
        files=[file.name for file in files],
        data_hash=results.panel().data_hash,
        layout=terms.layout,
        prompts=terms.prompts,
        licence=terms.licence,
        prices=None if book is None else book.on(),
    )
    with written_beside(place) as beside:
        beside.write_text(write_card(card), encoding="utf-8", newline="\n")
    rows = results.rows()
    queries = len({row.query.query_id for row in rows})
    return Exported(tuple(files), place, len(rows), queries, results.models)
