"""`tenbin plugins`: what stands behind the three doors, and whether it may and can be loaded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from tenbin.cli.flags import FILE
from tenbin.cli.open_router import settings_of
from tenbin.cli.output import caution, emit_json, faint, json_option, say, table
from tenbin.errors import TenbinError
from tenbin.plugins import OWN_PACKAGE, Plugin, list_plugins, load_plugin


@click.command()
@click.option("--config", type=FILE, metavar="FILE", help="Config (default: tenbin.toml, if any).")
@json_option
def plugins(config: Path | None, as_json: bool) -> None:
    """List the embedders, predictors and metrics at hand."""
    from tenbin.config import read_allowed  # noqa: PLC0415 (not needed for --help)

    allow = read_allowed(settings_of(config))
    rows = [describe(plugin, allow) for plugin in list_plugins(allow)]
    if as_json:
        emit_json({"allow": allow, "plugins": rows})
    else:
        say(plugins_text(rows))


def describe(plugin: Plugin, allow: Collection[str]) -> dict[str, Any]:
    """One plug-in as a row: where it is from, and why it cannot be used if so."""
    fault = None
    if plugin.is_allowed:
        try:
            load_plugin(plugin.door, plugin.name, allow)
        except TenbinError as error:
            fault = str(error)
    return {
        "door": plugin.door,
        "name": plugin.name,
        "package": plugin.package,
        "version": plugin.version,
        "is_allowed": plugin.is_allowed,
        "fault": fault,
    }


def plugins_text(rows: list[dict[str, Any]]) -> str:
    """The table, then a sentence for each that cannot be loaded."""
    if not rows:
        return "no plug-in is registered; install tenbin again"
    lines = [[row["door"], row["name"], f"{row['package']} {row['version']}", _state(row)] for row in rows]
    text = [table(["door", "name", "package", "state"], lines, left=range(4))]
    text += ["", *(row["fault"] for row in rows if row["fault"])] if any(row["fault"] for row in rows) else []
    if not all(row["is_allowed"] for row in rows):
        text += ["", faint("allow a package that you trust: [plugins] allow in tenbin.toml")]
    return "\n".join(text)


def _state(row: dict[str, Any]) -> str:
    if row["fault"]:
        return caution("broken")
    if row["package"] == OWN_PACKAGE:
        return "ships with tenbin"
    return "allowed" if row["is_allowed"] else "not allowed"
