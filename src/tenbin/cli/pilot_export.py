"""`tenbin pilot export NAME --out FILE`: the outcome table of a pilot, with its data card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.evaluate import check_writable
from tenbin.cli.output import emit_json, json_option, say
from tenbin.cli.whole_file import whole_file
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.pilot.export import Prompts


@click.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
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
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("pilots"),
    show_default=True,
    help="The folder that the pilots are in.",
)
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
    from tenbin.pilot import export as exporting  # noqa: PLC0415 (numpy only when a table is written)
    from tenbin.pilot.believed import believed  # noqa: PLC0415
    from tenbin.pilot.data_card import Card, write_card  # noqa: PLC0415
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415
    from tenbin.pilot.results import read_results  # noqa: PLC0415
    from tenbin.pilot.status import price_book  # noqa: PLC0415

    if drop_prompts and hash_prompts:
        raise UsageError("--drop-prompts and --hash-prompts are two ways of one thing", fix="give one of them")
    prompts: Prompts = "dropped" if drop_prompts else "hashed" if hash_prompts else "kept"
    folder = PilotFolder(root / name)
    settings, graded = folder.read_settings(), read_results(folder)
    results = graded if as_graded else believed(graded)
    place = out.with_name(f"{out.name}.card.md")
    check_writable(place)
    chosen: exporting.Layout = "sprout" if layout == "sprout" else "outcomes"
    files = exporting.export(results, out, chosen, prompts)
    book = price_book(settings)
    card = Card(
        name=name,
        settings=settings,
        results=results,
        plan=folder.read_plan(),
        files=[file.name for file in files],
        data_hash=results.panel().data_hash,
        layout=chosen,
        prompts=prompts,
        licence=licence,
        prices=None if book is None else book.on(),
    )
    with whole_file(place) as stream:
        stream.write(write_card(card))
    rows = results.rows()
    queries = len({row.query.query_id for row in rows})
    if as_json:
        emit_json({"files": files, "card": place, "layout": layout, "prompts": prompts, "rows": len(rows),
                   "queries": queries, "models": results.models})  # fmt: skip
        return
    say(f"{len(rows):,} rows of {queries:,} prompts and {len(results.models)} models")
    for file in files:
        say(f"table  {file}")
    say(f"card   {place}")
