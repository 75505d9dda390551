"""The commands that a verdict leads to, as they may be copied into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

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
    if kind == "live":
        prices = [] if status.settings.prices is None else ["--prices", status.settings.prices]
        table, router = f"{name}.parquet", f"{name}-router"
        return [
            pilot_command("export", name, root, "--out", table),
            shlex.join(["tenbin", "fit", table, *prices, "--reference", status.settings.reference, "--out", router]),
            shlex.join(["tenbin", "serve", status.settings.config]),
        ]
    return []
