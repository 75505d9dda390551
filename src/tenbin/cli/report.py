"""`tenbin report EVALUATION.json`: the page for people, in either language, from a saved evaluation."""

from __future__ import annotations

from pathlib import Path

import click

from tenbin.cli.flags import FILE
from tenbin.cli.output import say
from tenbin.cli.whole_file import spare


@click.command()
@click.argument("evaluation", type=FILE)
@click.option("--out", type=FILE, required=True, metavar="FILE.html", help="Write the page here.")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the page.")
@click.option("--title", metavar="TEXT", help="Title of the page.")
def report(evaluation: Path, out: Path, lang: str, title: str | None) -> None:
    """Write the HTML report of a saved evaluation.

    EVALUATION is the file that 'tenbin evaluate --out FILE.json' wrote. Nothing is measured again, so that the same
    figures can be shown in both languages.

    \b
    tenbin report evaluation.json --out report.html
    tenbin report evaluation.json --out report.ja.html --lang ja
    """
    from tenbin.evaluate.saved import read_evaluation  # noqa: PLC0415 (numpy only when a page is written)
    from tenbin.report import write_report  # noqa: PLC0415

    spare(out, evaluation)
    write_report(read_evaluation(evaluation), out, lang=lang, title=title)
    say(f"report   {out}")
