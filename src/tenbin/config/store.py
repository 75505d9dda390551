"""The section `[store]`: where the ledger and the keys are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenbin.config.document import Document

DEFAULT_FOLDER = "tenbin-store"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The folder of the ledger and the keys, and after how many days calls and decisions leave it (None: never)."""

    path: Path = Path(DEFAULT_FOLDER)
    keep_days: int | None = None


def read_store(document: Document) -> StoreSettings:
    """The store's settings; by default a folder beside the document."""
    table = document.plain["store"]
    return StoreSettings(document.path(table.get("path", DEFAULT_FOLDER)), table.get("keep_days"))
