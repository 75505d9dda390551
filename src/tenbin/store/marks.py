"""Marks that all workers of a store share and that outlive a restart: one small file each, in a folder per kind.

A kind "retreats" has one per profile that has retreated, "excuses" one per profile with the day that was waved through,
"resumed" one per profile with when somebody looked into it; "pacing" and "seen" one per profile and place (`Place`),
with what was spent and what was seen of the SLA; "pauses" one per place with what providers asked for; "retention" one
per profile with the days that it keeps texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenbin.errors import StoreError
from tenbin.replacement import replacement
from tenbin.store.folder import create_private, make_private

MAX_MARKS = 1_000


class Marks:
    """The marks of one kind in one store. Methods block for a moment; errors: StoreError where the disk refuses."""

    def __init__(self, folder: Path, kind: str = "retreats") -> None:
        self.folder = Path(folder) / kind

    def put(self, name: str, content: Mapping[str, Any]) -> None:
        """Set a mark, whole or not at all; `name` is a profile's (with a place's), which is a fine file name."""
        try:
            make_private(self.folder)
            with replacement(self.folder / f"{name}.json") as beside:
                create_private(beside)
                beside.write_text(json.dumps(dict(content)), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"the mark cannot be set ({error.strerror})", where=str(self.folder)) from error

    def take(self, name: str) -> None:
        """Take a mark away; one that is not there is no fault."""
        try:
            (self.folder / f"{name}.json").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"the mark cannot be taken away ({error.strerror})", where=str(self.folder)) from error

    def all(self) -> dict[str, dict[str, Any]]:
        """Every mark by name; a damaged one counts, without its content."""
        try:
            paths = sorted(self.folder.glob("*.json"))[:MAX_MARKS]
            found = {path.stem: _content(path) for path in paths}
            return {name: content for name, content in found.items() if content is not None}
        except OSError as error:
            raise StoreError(f"the marks cannot be read ({error.strerror})", where=str(self.folder)) from error


def _content(path: Path) -> dict[str, Any] | None:
    """What a mark says, nothing where it is damaged; None where somebody has taken it away meanwhile."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
