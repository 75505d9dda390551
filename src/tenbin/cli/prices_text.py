"""Price books in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from tenbin.artifact import PRICES, read_manifest
from tenbin.cli.output import caution, faint, good, strong, table
from tenbin.errors import UsageError
from tenbin.prices import PriceBook, PriceChange, PriceFinding
from tenbin.reasons import counted
from tenbin.types import Price

COLUMNS: Mapping[str, str] = {
    "input_usd_per_mtok": "input",
    "output_usd_per_mtok": "output",
    "cached_input_usd_per_mtok": "cached input",
    "cache_write_usd_per_mtok": "cache write",
    "reasoning_usd_per_mtok": "reasoning",
    "request_usd": "per call",
    "long_context_tokens": "long above",
    "long_input_usd_per_mtok": "long input",
    "long_output_usd_per_mtok": "long output",
    "long_cached_input_usd_per_mtok": "long cached",
    "long_cache_write_usd_per_mtok": "long write",
    "cache_write_1h_usd_per_mtok": "1 h write",
    "audio_input_usd_per_mtok": "audio in",
    "audio_output_usd_per_mtok": "audio out",
    "priority_factor": "priority x",
    "flex_factor": "flex x",
}


def open_book(path: Path) -> PriceBook:
    """The price book of a TOML file or of a router's folder."""
    return PriceBook.load(path / PRICES if path.is_dir() else path)


def models_in_use(book: Path, router: Path | None, models: Sequence[str]) -> tuple[str, ...] | None:
    """The models to check for: those named, a router's candidates, or None for whatever the book prices."""
    folder = router if router is not None else book if book.is_dir() else None
    candidates = () if folder is None else read_manifest(folder).models
    return (*models, *candidates) or None


def references_of(words: Sequence[str]) -> dict[str, str]:
    """`NAME=PROVIDER/MODEL` words as our names to theirs; UsageError for a word that is none, or a name given twice."""
    found: dict[str, str] = {}
    for word in words:
        name, sign, reference = word.partition("=")
        if not (name and sign and reference):
            raise UsageError(f'"{word}" is not NAME=PROVIDER/MODEL', fix="write gpt-4o=openai/gpt-4o")
        if name in found:
            raise UsageError(f'the name "{name}" is given twice', fix="give each name once")
        found[name] = reference
    return found


def entries_of(book: PriceBook, at: date | None, history: bool) -> list[dict[str, Any]]:
    """The book's entries as rows: those of one day, or all of them."""
    if history:
        return [{"model": model, **asdict(price)} for model, prices in book.entries.items() for price in prices]
    return [{"model": model, **asdict(price)} for model, price in book.on(at).items()]


def show_text(book: PriceBook, rows: Sequence[Mapping[str, Any]]) -> str:
    """The table of `tenbin prices show`; only columns that some model uses."""
    if not rows:
        return f"{book.name}: no prices on that day"
    always = ("input_usd_per_mtok", "output_usd_per_mtok")
    used = [*always, *(key for key in COLUMNS if key not in always and any(row[key] for row in rows))]
    headers = ["model", "since", *(COLUMNS[key] for key in used)]
    lines = [[row["model"], str(row["since"] or "always"), *(_amount(row[key]) for key in used)] for row in rows]
    text = table(headers, lines, left=range(2))
    unit = faint(f"dollars per million tokens; book {book.version[:12]}")
    sources = sorted({row["source"] for row in rows if row["source"]})
    return "\n".join([text, "", unit, *(faint(f"source: {source}") for source in sources)])


def diff_text(changes: Sequence[PriceChange], names: tuple[str, str] = ("before", "after")) -> str:
    """One line per figure that differs; `names` are those of the two books."""
    if not changes:
        return "no price differs"
    rows = []
    for change in changes:
        before, after = change.before, change.after
        if before is None or after is None:
            rows.append([change.model, "is new" if before is None else "is gone", _both(before), _both(after), ""])
            continue
        for key, title in COLUMNS.items():
            old, new = getattr(before, key), getattr(after, key)
            if old != new:
                rows.append([change.model, title, _amount(old), _amount(new), _factor(old, new)])
    return table(["model", "price", *names, "factor"], rows, left=range(2))


def later_text(day: date) -> str:
    """Where two books differ otherwise on a day to come: a price that begins tomorrow is in no table of today."""
    return caution(f"from {day} on other prices differ: add --at {day}")


def check_text(book: PriceBook, findings: Sequence[PriceFinding]) -> str:
    """One line per finding, errors marked."""
    if not findings:
        return f"{good('in order')}: {counted(len(book.entries), 'model')}, book {book.version[:12]}"
    marks = [strong(caution("error")) if finding.is_error else "look at" for finding in findings]
    return "\n".join(f"{mark}: {found.model} {found.what}" for mark, found in zip(marks, findings, strict=True))


def _both(price: Price | None) -> str:
    return "–" if price is None else f"{price.input_usd_per_mtok:g} / {price.output_usd_per_mtok:g}"


def _factor(before: float | None, after: float | None) -> str:
    return f"x{after / before:.3g}" if before and after is not None else ""


def _amount(value: float | int | None) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
