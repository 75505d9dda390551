"""`tenbin fit OUTCOMES --out ROUTER`: learn a router from measured outcomes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, config_option, format_option, map_option, seed_option
from tenbin.cli.open_router import check_place, settings_of
from tenbin.cli.output import emit_json, json_option, say
from tenbin.cli.vector_cache import vector_cache

if TYPE_CHECKING:
    from tenbin.types import Panel


@click.command()
@click.argument("outcomes", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="ROUTER", help="The folder to write the router to.")
@click.option("--prices", type=FILE, metavar="FILE", help="Prices (TOML); not needed with recorded dollars.")
@map_option
@format_option
@click.option("--embedder", default="auto", show_default=True, metavar="NAME", help="Embedder, or choose by trial.")
@click.option("--predictor", default="stack", show_default=True, metavar="NAME", help="Predictor of quality.")
@click.option("--group/--no-group", "groups", default=True, help="Use the group labels of the table, or ignore them.")
@click.option("--reference", metavar="MODEL", help="The model to compare with; otherwise the best in training.")
@seed_option
@click.option(
    "--vector-cache",
    "cache",
    metavar="FILE|none",
    show_default="~/.cache/tenbin/vectors.sqlite3",
    help="Keep the vectors of slow embedders here, or nowhere.",
)
@config_option
@json_option
def fit(
    outcomes: Path,
    out: Path,
    prices: Path | None,
    renames: tuple[str, ...],
    layout: str,
    embedder: str,
    predictor: str,
    groups: bool,
    reference: str | None,
    seed: int,
    cache: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Learn a router from measured outcomes.

    OUTCOMES is a table (Parquet, JSONL or CSV) with one row per prompt and model: query_id, prompt, model, quality
    (0 to 1), and tokens with --prices, or cost_usd. Public formats are recognised.

    \b
    tenbin fit outcomes.parquet --prices prices.toml --out my-router
    tenbin fit scores.csv --map quality=score --out my-router
    """
    from tenbin.cli.columns import renamed  # noqa: PLC0415 (numpy and the router only when fitting)
    from tenbin.cli.fit_text import fit_json, fit_text, measured  # noqa: PLC0415
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.config import read_allowed, read_candidates  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.prices import PriceBook  # noqa: PLC0415
    from tenbin.router.fit import FitSettings  # noqa: PLC0415
    from tenbin.router.fit import fit as learn  # noqa: PLC0415

    mapping = renamed(renames)
    check_place(out)
    kept = vector_cache(cache, os.environ)
    book = PriceBook.load(prices) if prices is not None else None
    document = settings_of(config)
    settings = FitSettings(
        embedder=embedder,
        predictor=predictor,
        seed=seed,
        reference=reference,
        groups=groups,
        candidates=tuple(read_candidates(document).values()),
        allow_plugins=read_allowed(document),
        vector_cache=kept,
    )
    with TerminalProgress() as progress:
        panel = read_outcomes(outcomes, mapping, format=layout, progress=progress)
        router = learn(panel, book, settings, progress)
        found = measured(router)
    router.save(out)
    if as_json:
        emit_json(fit_json(router, out, found))
    else:
        say(fit_text(router, out, found, test_table=_test_table(panel, outcomes, renames, layout)))


def _test_table(panel: Panel, outcomes: Path, renames: tuple[str, ...], layout: str) -> list[str]:
    """The table as `evaluate` is to read it where it has rows to prove the router by, else nothing."""
    if panel.split is None or "test" not in panel.split:
        return []
    maps = [word for rename in renames for word in ("--map", rename)]
    return [str(outcomes), *maps, *([] if layout == "auto" else ["--format", layout])]
