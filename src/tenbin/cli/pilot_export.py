"""`tenbin pilot export NAME --out FILE`: the outcome table of a pilot, with its data card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, root_option
from tenbin.cli.output import emit_json, json_option, plain, say
from tenbin.errors import UsageError
from tenbin.reasons import counted

if TYPE_CHECKING:
    from tenbin.pilot.export_table import Prompts


@click.command()
@click.argument("name")
@click.option(
    "--out",
    type=FILE,
    required=True,
    metavar="FILE",
    help="The table (.parquet, .jsonl, .csv); a new folder for sprout.",
)
@click.option(
    "--layout",
    type=click.Choice(["outcomes", "sprout"]),
    default="outcomes",
    show_default=True,
    help="One row per prompt and model, or SPROUT's one row per prompt.",
)
@click.option("--drop-prompts", is_flag=True, help="Leave prompts, answers and ids out: to count, not to fit.")
@click.option("--hash-prompts", is_flag=True, help="Write a hash in place of each prompt; leave answers out.")
@click.option("--as-graded", is_flag=True, help="Leave the grades uncorrected where people labelled some answers.")
@click.option("--license", "licence", metavar="TEXT", help="The licence to state in the data card.")
@root_option
@json_option
def export(
    name: str,
    out: Path,
    layout: str,
    drop_prompts: bool,
    hash_prompts: bool,
    as_graded: bool,
    licence: str | None,
    root: Path,
    as_json: bool,
) -> None:
    """Write what a pilot bought as an outcome table, for 'tenbin fit' or for others.

    A data card in Markdown is written beside it (FILE.card.md): sources, candidates, judge, prices, dates, licence. No
    key and no path of this machine is in either. Grades are corrected by people's labels where there are enough.

    \b
    tenbin pilot export support --out support.parquet
    tenbin pilot export support --out shared.csv --hash-prompts --license CC-BY-4.0
    tenbin pilot export support --out support-sprout --layout sprout
    """  # fmt: skip
    from tenbin.pilot.export import ExportTerms  # noqa: PLC0415 (numpy only when a table is written)
    from tenbin.pilot.export import export as write_export  # noqa: PLC0415
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415

    if drop_prompts and hash_prompts:
        raise UsageError("--drop-prompts and --hash-prompts are two ways of one thing", fix="give one of them")
    prompts: Prompts = "dropped" if drop_prompts else "hashed" if hash_prompts else "kept"
    terms = ExportTerms("sprout" if layout == "sprout" else "outcomes", prompts, licence, as_graded)
    found = write_export(PilotFolder(root / name), out, terms)
    if as_json:
        emit_json({"layout": layout, "prompts": prompts, **plain(found)})
        return
    say(f"{counted(found.rows, 'row')} of {counted(found.queries, 'prompt')} and {counted(len(found.models), 'model')}")
    for file in found.files:
        say(f"table  {file}")
    say(f"card   {found.card}")
