"""The commands that a verdict leads to, as they may be copied into a shell."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tenbin.config.document import path_of

if TYPE_CHECKING:
    from tenbin.pilot.folder import PilotFolder
    from tenbin.pilot.status import Status

DEFAULT_ROOT = "pilots"
"""Where pilots are unless `--root` says otherwise."""


def pilot_command(command: str, name: str, root: Path, *words: str) -> str:
    """A command on one pilot, with `--root` where it is not in the usual place."""
    at = [] if str(root) == DEFAULT_ROOT else ["--root", str(root)]
    return shlex.join(["tenbin", "pilot", command, name, *at, *words])


def run_command(folder: PilotFolder) -> str:
    """The command that buys what is planned in this folder."""
    return pilot_command("run", folder.name, folder.path.parent)


def next_commands(status: Status, root: Path) -> list[str]:
    """What to type next; nothing where one candidate is to be used and no router is needed."""
    name, kind = status.name, status.verdict.kind
    if kind == "run":
        return [pilot_command("run", name, root)]
    if kind == "buy":
        return [pilot_command("plan", name, root), pilot_command("run", name, root)]
    return _live(status, root) if kind == "live" else []


def _live(status: Status, root: Path) -> list[str]:
    """Table, router, gateway; a comment between them where the gateway has to be told of the router first."""
    settings, router = status.settings, status.live.router
    prices = [] if settings.prices is None else ["--prices", settings.prices]
    table = f"{status.name}.parquet"
    named = f"router = {json.dumps(str(router.resolve()), ensure_ascii=False)}"
    first = (
        [] if status.live.is_served else [f"# {settings.config}, [{path_of('profiles', settings.profile)}]: {named}"]
    )
    return [
        pilot_command("export", status.name, root, "--out", table),
        shlex.join(["tenbin", "fit", table, *prices, "--reference", settings.reference, "--out", str(router)]),
        *first,
        shlex.join(["tenbin", "serve", settings.config]),
    ]
