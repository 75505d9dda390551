"""The section `[store]`: where the ledger and the keys are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenbin.config.document import Document

DEFAULT_FOLDER = "tenbin-store"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The folder of the ledger and the keys."""

    path: Path = Path(DEFAULT_FOLDER)


def read_store(document: Document) -> StoreSettings:
    """The store's settings; by default a folder beside the document."""
    return StoreSettings(document.path(document.plain["store"].get("path", DEFAULT_FOLDER)))
