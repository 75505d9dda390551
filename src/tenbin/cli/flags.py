"""The flags that several commands share: the same name, the same values, the same words everywhere."""

from __future__ import annotations

from pathlib import Path

import click

from tenbin.cli.output import Command
from tenbin.pilot.commands import DEFAULT_ROOT

FILE = click.Path(path_type=Path)
"""The place of a file or of a folder."""
LARGEST_SEED = 2**32 - 1
"""Of those that every random generator takes."""


def lang_option(command: Command) -> Command:
    """The flag `--lang`: in which language the command speaks."""
    return click.option(
        "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the words."
    )(command)


def config_option(command: Command) -> Command:
    """The flag `--config`, the same wherever a plug-in may have to be loaded."""
    return click.option(
        "--config",
        type=FILE,
        metavar="FILE",
        help="Candidates, and the plug-ins that may load (default: tenbin.toml, if any).",
    )(command)


def map_option(command: Command) -> Command:
    """The flag `--map` (parameter `renames`, for `tenbin.cli.columns.renamed`)."""
    return click.option(
        "--map", "renames", multiple=True, metavar="OURS=YOURS", help="Rename a column: quality=score (repeatable)."
    )(command)


def format_option(command: Command) -> Command:
    """The flag `--format` of an outcome table (parameter `layout`)."""
    return click.option(
        "--format", "layout", default="auto", show_default=True, metavar="NAME", help="Layout of the table."
    )(command)


def seed_option(command: Command) -> Command:
    """The flag `--seed`."""
    return click.option(
        "--seed",
        type=click.IntRange(0, LARGEST_SEED),
        metavar="INTEGER",
        default=0,
        show_default=True,
        help="The same seed and data give the same result.",
    )(command)


def root_option(command: Command) -> Command:
    """The flag `--root`: where the pilots are."""
    return click.option(
        "--root",
        type=FILE,
        default=Path(DEFAULT_ROOT),
        show_default=True,
        help="The folder that the pilots are in.",
    )(command)
