"""`tenbin pilot run NAME`: ask the candidates what was planned, grade what they say, inside the budget."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import lang_option, root_option
from tenbin.cli.output import emit_json, json_option, say, words_of
from tenbin.errors import NetworkError, UsageError

if TYPE_CHECKING:
    from tenbin.pilot.run.prepared import Prepared
    from tenbin.pilot.run.report import RunReport
    from tenbin.pilot.run.run import RunOptions


@click.command()
@click.argument("name")
@root_option
@click.option("--budget", type=float, metavar="USD", help="Spend at most this on the pilot, from its beginning on.")
@click.option("--without", multiple=True, metavar="NAME", help="Leave this candidate out today (repeatable).")
@click.option("--concurrency", type=click.IntRange(1, 1024), metavar="N", help="Calls at once, over all candidates.")
@click.option("--deadline", type=float, default=300.0, show_default=True, metavar="SECONDS", help="Given to one call.")
@click.option("--regrade", is_flag=True, help="Grade the bought answers anew by the present metric; ask no candidate.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, at what cost and in what time; ask nobody.")
@lang_option
@json_option
def run(
    name: str,
    root: Path,
    budget: float | None,
    without: tuple[str, ...],
    concurrency: int | None,
    deadline: float,
    regrade: bool,
    dry_run: bool,
    lang: str,
    as_json: bool,
) -> None:
    """Buy the planned answers and grade them, inside the budget.

    Every answer is on the disk before the next thing happens: after Ctrl-C, a crash or more budget, run it again and it
    goes on where it was. What is bought is never bought twice. A candidate that fails again and again is set aside, and
    the others go on.

    \b
    tenbin pilot run support --dry-run
    tenbin pilot run support
    tenbin pilot run support --budget 20 --without gpt-4.1
    """  # fmt: skip
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415 (numpy and the client only when a pilot runs)
    from tenbin.pilot.run.prepared import prepare  # noqa: PLC0415
    from tenbin.pilot.run.run import RunOptions  # noqa: PLC0415

    if budget is not None and not 0.0 < budget < float("inf"):
        raise UsageError(f"--budget {budget:g} is no budget", fix="give dollars above 0")
    if not 0.0 < deadline < float("inf"):
        raise UsageError(f"--deadline {deadline:g} is no time", fix="give seconds above 0")
    prepared = prepare(PilotFolder(root / name), os.environ, budget_usd=budget, without=without, asks=not regrade)
    options = RunOptions(concurrency, deadline, regrade)
    if dry_run:
        _say_forecast(prepared, options, lang, as_json)
        return
    _run(prepared, options, lang, as_json)


def _say_forecast(prepared: Prepared, options: RunOptions, lang: str, as_json: bool) -> None:
    from tenbin.cli.pilot_run_text import forecast_json, forecast_text  # noqa: PLC0415
    from tenbin.pilot.run.forecast import forecast  # noqa: PLC0415
    from tenbin.pilot.run.perform import open_pilot_grader  # noqa: PLC0415
    from tenbin.upstream.client import UpstreamClient  # noqa: PLC0415

    found = forecast(prepared, open_pilot_grader(prepared, os.environ, UpstreamClient(os.environ)), options)
    if as_json:
        emit_json(forecast_json(prepared.folder.name, found))
    else:
        say(forecast_text(found, words_of(lang)))


def _run(prepared: Prepared, options: RunOptions, lang: str, as_json: bool) -> None:
    from tenbin.cli.pilot_run_loop import run_watched  # noqa: PLC0415
    from tenbin.cli.pilot_run_text import report_json, report_text  # noqa: PLC0415

    words = words_of(lang)
    report, stopped_by = run_watched(prepared, options, words)
    if as_json:
        emit_json(report_json(prepared.folder.name, report))
    else:
        say(report_text(prepared.folder, report, words))
    if stopped_by is not None:
        raise stopped_by
    _refuse_nothing(report)


def _refuse_nothing(report: RunReport) -> None:
    """A run in which nobody answered, though there was something to buy, has failed (NetworkError)."""
    aside = [candidate for candidate in report.candidates if candidate.set_aside is not None]
    if report.ended == "left" and not report.bought and aside:
        first = aside[0]
        fix = "see what each said above, mend it, and run again"
        raise NetworkError(f"no candidate answered; {first.name}: {first.set_aside}", fix=fix)
