"""Which store a command works on: the flags that say so, and the folder that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, lang_option
from tenbin.cli.output import Command
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.config import Document


def place_options(command: Command) -> Command:
    """The flags of every command on a store: where it is kept, and in which language to speak."""
    command = lang_option(command)
    command = click.option("--store", type=FILE, metavar="FOLDER", help="The store itself, instead of a config.")(
        command
    )
    return click.option(
        "--config", type=FILE, metavar="FILE", help="The gateway's configuration (default: tenbin.toml, if any)."
    )(command)


def place(config: Path | None, store: Path | None) -> tuple[Path, Document | None]:
    """The folder of the store, and the configuration where it was found by one (UsageError, ConfigError)."""
    from tenbin.cli.open_router import CONFIG, settings_of  # noqa: PLC0415
    from tenbin.config import read_store  # noqa: PLC0415

    if store is not None:
        if config is not None:
            raise UsageError("--config and --store both say where the store is", fix="give one of them")
        return store, None
    if config is None and not Path(CONFIG).is_file():
        raise UsageError(f"there is no {CONFIG} here", fix="name it with --config, or the store's folder with --store")
    document = settings_of(config)
    return read_store(document).path, document
