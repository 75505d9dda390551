"""Labels that people gave elsewhere, from a CSV file, into a pilot's journal."""

from __future__ import annotations

import csv
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tenbin.errors import DataError
from tenbin.pilot.journal import Journal
from tenbin.pilot.records import Labelled
from tenbin.pilot.results import Results

NEEDED = ("query_id", "model", "quality")
MOST_ROWS = 100_000


def import_labels(path: Path, results: Results, journal: Journal, labeller: str) -> int:
    """Write the labels of a CSV file with the columns query_id, model, quality (0 to 1), and perhaps labeller and note.

    All or none: DataError names the first line that is wrong. The answers are taken to be a random part of each
    model's, and each label carries the chance of that, as those of the page do. Returns how many were written.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream, strict=True)
            missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
            if missing:
                fix = f"give the columns {', '.join(NEEDED)}"
                raise DataError(f'has no column "{missing[0]}"', where=str(path), fix=fix)
            labels = [_label(row, f"{path}:{rows.line_num}", results, labeller) for row in rows]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"is no CSV in UTF-8 ({error})", where=str(path), fix="save it as CSV, UTF-8") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path), fix="check the name") from error
    if len(labels) > MOST_ROWS:
        raise DataError(f"has more than {MOST_ROWS:,} labels", where=str(path), fix="give fewer")
    if labels:
        journal.append(*_with_chance(labels, results))
    return len(labels)


def _with_chance(labels: Sequence[Labelled], results: Results) -> Iterator[Labelled]:
    """The labels with the share of the model's answers that the file labels."""
    bought = Counter(model for _, model, repeat in results.answers if repeat == 0)
    given = Counter(model for _, model in {(label.query_id, label.model) for label in labels})
    for label in labels:
        yield msgspec.structs.replace(label, label_propensity=given[label.model] / bought[label.model])


def _label(row: dict[str, str | None], where: str, results: Results, labeller: str) -> Labelled:
    query_id, model = row["query_id"] or "", row["model"] or ""
    if (query_id, model, 0) not in results.answers:
        raise DataError(
            f'the pilot has bought no answer of "{model}" to "{query_id}"', where=where, fix="check query_id and model"
        )
    try:
        quality = float(row["quality"] or "")
    except ValueError:
        quality = math.nan
    if not 0.0 <= quality <= 1.0:
        raise DataError(f'"{row["quality"]}" is no quality', where=where, fix="give a number from 0 to 1")
    who = (row.get("labeller") or "").strip() or labeller
    return Labelled(query_id, model, time.time(), quality, who, note=(row.get("note") or "").strip())
