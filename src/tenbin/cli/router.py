"""`tenbin router`: what fitted routers are, how two of them differ, a candidate more or less."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from tenbin.cli.flags import FILE
from tenbin.cli.lazy import LazyCommand, LazyGroup
from tenbin.cli.open_router import open_router
from tenbin.cli.output import emit_json, json_option, say

COMMANDS: Mapping[str, LazyCommand] = {
    "list": LazyCommand("tenbin.cli.router:list_routers", "List the routers in FOLDER (default: here)."),
    "show": LazyCommand("tenbin.cli.router:show", "Show a router's card, and what its dial reached out of fold."),
    "diff": LazyCommand("tenbin.cli.router:diff", "Compare two routers: candidates, training, prices, dial."),
    "add-model": LazyCommand(
        "tenbin.cli.router_add:add_model", "Take a new candidate into a router, from a few of its answers."
    ),
    "retire-model": LazyCommand(
        "tenbin.cli.router_retire:retire_model", "Write the router without one of its candidates."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def router() -> None:
    """List, show, compare and change fitted routers."""


@click.command("list")
@click.argument("folder", type=FILE, default=".")
@json_option
def list_routers(folder: Path, as_json: bool) -> None:
    """List the routers in FOLDER (default: here)."""
    from tenbin.cli.router_text import list_text, listing  # noqa: PLC0415 (numpy only when reading routers)

    entries = listing(folder)
    if as_json:
        emit_json({"routers": entries})
    else:
        say(list_text(folder, entries))


@click.command()
@click.argument("folder", metavar="ROUTER", type=FILE)
@click.option("--prices", type=FILE, metavar="FILE", help="Show the dial at the prices of this TOML file.")
@json_option
def show(folder: Path, prices: Path | None, as_json: bool) -> None:
    """Show a router's card, and what its dial reached out of fold."""
    from tenbin.cli.router_text import show_json, show_text  # noqa: PLC0415

    loaded = open_router(folder, prices)
    curve = loaded.dial_curve()
    if as_json:
        emit_json(show_json(loaded, curve))
    else:
        say(show_text(loaded, curve))


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@json_option
def diff(before: Path, after: Path, as_json: bool) -> None:
    """Compare two routers: candidates, training, prices, dial."""
    from tenbin.cli.router_diff import diff_text, differences  # noqa: PLC0415

    found = differences(open_router(before), open_router(after))
    if as_json:
        emit_json(found)
    else:
        say(diff_text(before, after, found))
