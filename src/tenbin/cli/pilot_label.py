"""`tenbin pilot label NAME`: people label some answers on a local page; then: how far the metric agrees with them."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, lang_option, root_option
from tenbin.cli.output import emit_json, json_option, say, strong, words_of
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.pilot.folder import PilotFolder
    from tenbin.pilot.label.session import Session
    from tenbin.report.catalogue import Catalogue


@click.command()
@click.argument("name")
@root_option
@click.option("--count", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Answers to label.")
@click.option("--scale", type=click.Choice(["2", "3", "5"]), default="5", show_default=True, help="Steps of the scale.")
@click.option(
    "--labeller", default="me", show_default=True, metavar="NAME", help="Who labels; each has labels of his own."
)
@click.option("--import", "source", type=FILE, metavar="FILE.csv", help="Take labels from a file.")
@click.option("--summary", is_flag=True, help="Only say what the labels tell; open no page.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the page (default: any free one).")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@lang_option
@json_option
def label(
    name: str,
    root: Path,
    count: int,
    scale: str,
    labeller: str,
    source: Path | None,
    summary: bool,
    port: int,
    no_browser: bool,
    lang: str,
    as_json: bool,
) -> None:
    """Label some answers yourself, and learn how far the metric is to be believed.

    A page on this machine only shows answers of all models one by one, unnamed and shuffled: press a key for each.
    Every label is kept at once; stop by Ctrl-C and go on whenever you like. From ten labels on, means are corrected by
    what people said. A file of labels has the columns query_id, model, quality, and perhaps labeller and note.

    \b
    tenbin pilot label support
    tenbin pilot label support --count 60 --scale 2 --labeller eva
    tenbin pilot label support --import labels.csv
    """  # fmt: skip
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415

    if not labeller.strip() or len(labeller) > 100:
        raise UsageError("--labeller is no name", fix="give 1 to 100 characters")
    folder, words = PilotFolder(root / name), words_of(lang)
    if source is not None:
        _import(folder, source, labeller.strip(), words, quiet=as_json)
    elif not summary:
        _serve(folder, words, count, int(scale), labeller.strip(), port, no_browser, lang, quiet=as_json)
    _summarise(folder, words, as_json)


def _import(folder: PilotFolder, source: Path, labeller: str, words: Catalogue, *, quiet: bool) -> None:
    from tenbin.pilot.journal import Journal  # noqa: PLC0415
    from tenbin.pilot.label.imported import import_labels  # noqa: PLC0415
    from tenbin.pilot.results import read_results  # noqa: PLC0415

    results = read_results(folder)
    with Journal.open(folder) as journal:
        taken = import_labels(source, results, journal, labeller)
    if not quiet:
        say(words("pilot_label.imported", n=f"{taken:,}"))


def _serve(
    folder: PilotFolder,
    words: Catalogue,
    count: int,
    scale: int,
    labeller: str,
    port: int,
    no_browser: bool,
    lang: str,
    *,
    quiet: bool,
) -> None:
    from tenbin.pilot.journal import Journal  # noqa: PLC0415
    from tenbin.pilot.label.page import render_label_page  # noqa: PLC0415
    from tenbin.pilot.label.server import LabelServer  # noqa: PLC0415
    from tenbin.pilot.label.session import Session  # noqa: PLC0415
    from tenbin.pilot.results import read_results  # noqa: PLC0415

    results, settings = read_results(folder), folder.read_settings()
    with Journal.open(folder) as journal:
        session = Session.open(results, journal, labeller, count=count, scale=scale, seed=settings.seed)
        page = render_label_page(folder.name, total=len(session.items), scale=scale, lang=lang)
        with LabelServer(session, page, port) as server:
            say(words("pilot_label.open", url=strong(server.url)), err=quiet)
            say(words("pilot_label.stop"), err=quiet)
            if not no_browser and _has_screen():
                click.launch(server.url)
            with contextlib.suppress(KeyboardInterrupt):  # the usual end: every label is in the journal already
                server.serve_forever()
        _say_labelled(session, words, quiet=quiet)


def _has_screen() -> bool:
    """Whether a browser would have a window: a browser for text would take the terminal, and cannot run the page."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say_labelled(session: Session, words: Catalogue, *, quiet: bool) -> None:
    say("", err=quiet)
    say(words("pilot_label.kept", n=str(session.labelled), total=str(len(session.items))), err=quiet)


def _summarise(folder: PilotFolder, words: Catalogue, as_json: bool) -> None:
    from tenbin.cli.pilot_label_text import checked_json, checked_text  # noqa: PLC0415
    from tenbin.pilot.believed import believed, check_judge  # noqa: PLC0415
    from tenbin.pilot.results import read_results  # noqa: PLC0415
    from tenbin.router.crossfit import column_means  # noqa: PLC0415

    results = read_results(folder)
    checked, table = check_judge(results), believed(results).panel()
    means = column_means(table.quality, 1.0 / table.label_propensity).tolist()
    if as_json:
        emit_json(checked_json(folder.name, checked, means))
    else:
        say(checked_text(checked, means, words))
