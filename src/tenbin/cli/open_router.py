"""A router as the commands open it (its folder, the prices to decide at, the plug-ins that may load), or write it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.config import Document
    from tenbin.router.router import Router

CONFIG = "tenbin.toml"


def settings_of(config: Path | None) -> Document:
    """The checked settings of a file (None: tenbin.toml, if any) under those of the environment (ConfigError)."""
    from tenbin.config import load_document  # noqa: PLC0415 (only when a router is made or opened)

    if config is None and Path(CONFIG).is_file():
        config = Path(CONFIG)
    return load_document(config, os.environ)


def open_router(folder: Path, prices: Path | None = None, config: Path | None = None) -> Router:
    """The router of a folder, at the prices of a file or its own (ArtifactError, PriceError, ConfigError)."""
    from tenbin.config import read_allowed  # noqa: PLC0415 (numpy only when a router is opened)
    from tenbin.prices import PriceBook  # noqa: PLC0415
    from tenbin.router.router import Router  # noqa: PLC0415

    allowed = read_allowed(settings_of(config))
    return Router.load(folder, PriceBook.load(prices) if prices is not None else None, allow_plugins=allowed)


def check_place(out: Path) -> None:
    """Refuse a place that is taken by something else before the work, not after it (UsageError)."""
    if out.exists() and not (out / "manifest.json").is_file():
        raise UsageError("exists and is not a router", where=str(out), fix="name a new folder with --out")
