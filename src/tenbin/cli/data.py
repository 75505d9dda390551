"""`tenbin data fetch NAME --out DIR`: download a public table of outcomes."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tenbin.cli.flags import FILE
from tenbin.cli.lazy import Group
from tenbin.cli.output import emit_json, json_option, say, strong
from tenbin.cli.stopped import Terminated


@click.group(cls=Group)
def data() -> None:
    """Fetch public tables of outcomes."""


@data.command()
@click.argument("name", type=click.Choice(["sprout", "routerbench"]), metavar="SET")
@click.option("--out", required=True, type=FILE, metavar="DIR", help="The folder to write to.")
@json_option
def fetch(name: str, out: Path, as_json: bool) -> None:
    """Download SPROUT or RouterBench from their hub.

    SET is sprout or routerbench. A download that was cut off goes on where it stopped, and every size is checked.
    """
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415 (nothing heavy for --help)
    from tenbin.outcomes.fetch import fetch_dataset  # noqa: PLC0415

    try:
        with TerminalProgress() as progress:
            fetched = fetch_dataset(name, out, progress=progress)
    except (KeyboardInterrupt, Terminated) as error:
        raise type(error)("run it again, it goes on where it stopped") from error
    if as_json:
        emit_json({"name": name, "files": fetched.files, "note": fetched.note})
        return
    for file in fetched.files:
        say(str(file))
    prices = " --prices PRICES.toml" if name == "sprout" else ""
    command = f"tenbin fit {shlex.quote(str(out))}{prices} --out my-router"
    say(f"\n{fetched.note}" if fetched.note else f"\nNext: {strong(command)}")
