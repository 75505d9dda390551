"""`tenbin prices show|diff|check|import`: what models cost, what changed, what looks wrong, where to get prices."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tenbin.cli.flags import FILE
from tenbin.cli.lazy import Group
from tenbin.cli.output import emit_json, json_option, say
from tenbin.errors import PriceError, UsageError
from tenbin.reasons import counted


class Day(click.DateTime):
    """A day, written as 2026-01-31."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day at midnight; BadParameter that shows how a day is written."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f'"{value}" is no day, as 2026-01-31 is one', param, ctx)


DAY = Day(formats=["%Y-%m-%d"])


@click.group(cls=Group)
def prices() -> None:
    """Show, compare, check and import price books."""


@prices.command()
@click.argument("book", type=FILE)
@click.option("--at", type=DAY, metavar="DAY", help="The prices of that day, as 2026-01-31 (default: today).")
@click.option("--history", is_flag=True, help="Every entry with its day, not one day's prices.")
@json_option
def show(book: Path, at: datetime | None, history: bool, as_json: bool) -> None:
    """Show the prices in BOOK, a TOML file or a router's folder."""
    from tenbin.cli.prices_text import entries_of, open_book, show_text  # noqa: PLC0415 (numpy only when called)

    opened = open_book(book)
    rows = entries_of(opened, at, history)
    if as_json:
        emit_json({"book": opened.name, "version": opened.version, "prices": rows})
    else:
        say(show_text(opened, rows))


@prices.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--at", type=DAY, metavar="DAY", help="Compare the prices of that day (default: today).")
@json_option
def diff(before: Path, after: Path, at: datetime | None, as_json: bool) -> None:
    """Compare two price books, model by model."""
    from tenbin.cli.prices_text import diff_text, later_text, open_book  # noqa: PLC0415

    old, new = open_book(before), open_book(after)
    changes = old.diff(new, at)
    if as_json:
        emit_json({"before": before, "after": after, "changes": changes})
        return
    say(diff_text(changes))
    later = old.differs_from(new, at)
    if later is not None:
        say(later_text(later))


@prices.command()
@click.argument("book", type=FILE)
@click.option("--router", type=FILE, metavar="ROUTER", help="The models in use are this router's candidates.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="A model in use (repeatable).")
@click.option("--at", type=DAY, metavar="DAY", help="Check for that day (default: today).")
@json_option
def check(book: Path, router: Path | None, models: tuple[str, ...], at: datetime | None, as_json: bool) -> None:
    """Check BOOK for missing, unused, old and unlikely prices."""
    from tenbin.cli.prices_text import check_text, models_in_use, open_book  # noqa: PLC0415

    opened = open_book(book)
    findings = opened.check(models_in_use(book, router, models), at)
    if as_json:
        emit_json({"book": opened.name, "version": opened.version, "findings": findings})
    else:
        say(check_text(opened, findings))
    unpriced = [finding for finding in findings if finding.is_error]
    if unpriced:
        count = counted(len(unpriced), "model has", "models have")
        fix = f'add [models."{unpriced[0].model}"] with its prices'
        raise PriceError(f"{count} no price", where=opened.name, fix=fix)


@prices.command("import")
@click.argument("models", nargs=-1, required=True, metavar="NAME=PROVIDER/MODEL...")
@click.option("--out", type=FILE, metavar="FILE", help="Write the book to this new file instead of printing it.")
@json_option
def import_(models: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Import list prices from the package genai-prices.

    NAME is the model as your outcome table calls it, PROVIDER/MODEL as genai-prices does:
    tenbin prices import gpt-4o=openai/gpt-4o --out prices.toml
    """
    from tenbin.cli.prices_text import entries_of, references_of, show_text  # noqa: PLC0415
    from tenbin.cli.whole_file import whole_file  # noqa: PLC0415
    from tenbin.prices.genai import import_prices  # noqa: PLC0415

    if out is not None and out.exists():
        raise UsageError("exists", where=str(out), fix="name a new file, or print the entries and paste what you want")
    book = import_prices(references_of(models))
    if out is not None:
        with whole_file(out) as file:
            file.write(book.dumps())
    rows = entries_of(book, None, history=True)
    if as_json:
        emit_json({"book": out, "version": book.version, "prices": rows})
    elif out is None:
        say(book.dumps().rstrip())
    else:
        say(f"{show_text(book, rows)}\n\nwritten to {out}; next: tenbin prices check {shlex.quote(str(out))}")
