"""The commands that a verdict leads to, as they may be copied into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from tenbin.pilot.folder import DEFAULT_ROOT
from tenbin.pilot.status import Status


def next_commands(status: Status, root: Path) -> list[str]:
    """What to type next; nothing where one candidate is to be used and no router is needed."""
    at = [] if str(root) == DEFAULT_ROOT else ["--root", str(root)]
    kind = status.verdict.kind
    if kind == "run":
        return [_line("tenbin pilot run", status.name, *at)]
    if kind == "buy":
        return [_line("tenbin pilot plan", status.name, *at), _line("tenbin pilot run", status.name, *at)]
    if kind == "live":
        prices = [] if status.settings.prices is None else ["--prices", status.settings.prices]
        table, router = f"{status.name}.parquet", f"{status.name}-router"
        return [
            _line("tenbin pilot export", status.name, *at, "--out", table),
            _line("tenbin fit", table, *prices, "--reference", status.settings.reference, "--out", router),
            _line("tenbin serve", status.settings.config),
        ]
    return []


def _line(command: str, *words: str) -> str:
    return f"{command} {shlex.join(words)}"
