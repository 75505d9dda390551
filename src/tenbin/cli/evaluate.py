"""`tenbin evaluate ROUTER OUTCOMES`: say with intervals whether routing pays on prompts the router has not seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, config_option, format_option, lang_option, map_option
from tenbin.cli.open_router import open_router
from tenbin.cli.output import emit_json, json_option, pad, say, words_of
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.evaluate.result import Evaluation


@click.command()
@click.argument("router", type=FILE)
@click.argument("outcomes", type=FILE)
@click.option("--report", "page", type=FILE, metavar="FILE.html", help="Write the HTML report here.")
@lang_option
@click.option("--out", type=FILE, metavar="FILE.json", help="Keep every figure here.")
@click.option("--prices", type=FILE, metavar="FILE", help="Evaluate at the prices of this TOML file.")
@click.option("--examples", type=click.IntRange(min=0), default=0, metavar="N", help="Show N prompts in the report.")
@map_option
@format_option
@config_option
@json_option
def evaluate(
    router: Path,
    outcomes: Path,
    page: Path | None,
    lang: str,
    out: Path | None,
    prices: Path | None,
    examples: int,
    renames: tuple[str, ...],
    layout: str,
    config: Path | None,
    as_json: bool,
) -> None:
    """Say with intervals whether routing pays.

    Uses the rows of OUTCOMES with split = test (all rows where there is no split column) and drops the prompts that
    the router was fitted on. Ends in a verdict: route, just use one model, or collect more prompts.

    \b
    tenbin evaluate my-router outcomes.parquet --report report.html
    """
    from tenbin.cli.columns import renamed  # noqa: PLC0415 (numpy and the evaluation only when evaluating)
    from tenbin.cli.evaluate_text import evaluation_text, pick_examples  # noqa: PLC0415
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.cli.whole_file import check_writable, spare  # noqa: PLC0415
    from tenbin.evaluate.evaluation import evaluate as judge  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.report import write_report  # noqa: PLC0415

    if examples and page is None:
        raise UsageError("--examples shows prompts in the report", fix="give --report FILE.html as well")
    mapping = renamed(renames)
    for place in (page, out):
        check_writable(place)
    spare(page, outcomes, prices, config, out)
    spare(out, outcomes, prices, config)
    loaded = open_router(router, prices, config)
    with TerminalProgress() as progress:
        panel = read_outcomes(outcomes, mapping, format=layout, progress=progress)
        evaluation = dated(judge(loaded, panel, progress=progress), date.today())
    if page is not None:
        shown = pick_examples(loaded, panel, evaluation, examples) if examples else None
        write_report(evaluation, page, lang=lang, examples=shown)
    if out is not None:
        keep(evaluation, out)
    if as_json:
        emit_json(evaluation.to_json())
    else:
        say(evaluation_text(evaluation, lang))
        say_where(page, out, lang)


def dated(evaluation: Evaluation, day: date) -> Evaluation:
    """The evaluation with the day it was made among its versions; what is measured does not depend on the day."""
    versions = {**evaluation.data.versions, "date": day.isoformat()}
    return replace(evaluation, data=replace(evaluation.data, versions=versions))


def keep(evaluation: Evaluation, out: Path) -> None:
    """Write every figure to a file that `tenbin report` reads (UsageError where it cannot be written)."""
    from tenbin.cli.whole_file import whole_file  # noqa: PLC0415

    with whole_file(out) as stream:
        stream.write(json.dumps(evaluation.to_json(), ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def say_where(page: Path | None, out: Path | None, lang: str) -> None:
    """Name the files that were written."""
    words = words_of(lang)
    if page is not None or out is not None:
        say()
    for key, place in (("written.report", page), ("written.figures", out)):
        if place is not None:
            say(f"{pad(words(key), 8)} {place}")
