"""`tenbin certify ROUTER [OUTCOMES] --min-quality R`: what the router can be held to, and what it saves there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, config_option, format_option, lang_option, map_option
from tenbin.cli.open_router import open_router
from tenbin.cli.output import emit_json, json_option, say
from tenbin.errors import EvaluationError
from tenbin.reasons import counted

if TYPE_CHECKING:
    from tenbin.router.router import Router


@click.command()
@click.argument("router", type=FILE)
@click.argument("outcomes", type=FILE, required=False)
@click.option(
    "--min-quality", type=float, required=True, metavar="R", help="The share of the reference's quality to keep: 0.97."
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="The chance of being wrong.")
@click.option("--group", metavar="NAME", help="Certify for the prompts of this group alone.")
@click.option("--by-group", is_flag=True, help="Say as well, for all groups together, which of them hold to it.")
@click.option(
    "--caution", type=float, default=0.0, show_default=True, help="Standard deviations by which to doubt each estimate."
)
@click.option("--allow", multiple=True, metavar="MODEL", help="Choose among these models only (repeatable).")
@click.option("--deny", multiple=True, metavar="MODEL", help="Never choose this model (repeatable).")
@click.option("--prices", type=FILE, metavar="FILE", help="Certify at the prices of this TOML file.")
@map_option
@format_option
@lang_option
@config_option
@json_option
def certify(
    router: Path,
    outcomes: Path | None,
    min_quality: float,
    alpha: float,
    group: str | None,
    by_group: bool,
    caution: float,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    prices: Path | None,
    renames: tuple[str, ...],
    layout: str,
    lang: str,
    config: Path | None,
    as_json: bool,
) -> None:
    """Certify a share of the reference's quality.

    Finds the setting that saves most among those proved, with confidence 1 - alpha, to keep R times the reference's
    mean quality on traffic like the calibration rows. These are the rows of OUTCOMES with split = calibration (all rows
    where there is no split column), which the router then keeps; without OUTCOMES, those it keeps already.

    \b
    tenbin certify my-router calibration.parquet --min-quality 0.95
    tenbin certify my-router --min-quality 0.98 --prices new-prices.toml
    """
    from tenbin.certify.certify import certify as prove  # noqa: PLC0415 (numpy and the router only when certifying)
    from tenbin.cli.certify_text import certificate_text  # noqa: PLC0415
    from tenbin.types import TradeOff  # noqa: PLC0415

    loaded = open_router(router, prices, config)
    if outcomes is not None:
        take(loaded, outcomes, renames, layout)
    certificate = prove(
        loaded,
        min_quality,
        alpha=alpha,
        trade_off=TradeOff(0.0, caution=caution),
        allow=allow,
        deny=deny,
        group=group,
        by_group=by_group,
    )
    if outcomes is not None:  # only rows that carry a certificate take the place of those kept before
        loaded.save_calibration(router)
    if as_json:
        emit_json({"certificate": certificate})
    else:
        say(certificate_text(certificate, lang))


def take(router: Router, outcomes: Path, renames: tuple[str, ...], layout: str) -> None:
    """Let the router rest its certificates on these outcomes (EvaluationError where none of them can serve)."""
    from tenbin.cli.columns import renamed  # noqa: PLC0415
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.router.calibrate import calibrate  # noqa: PLC0415

    mapping = renamed(renames)
    with TerminalProgress() as progress:
        panel = read_outcomes(outcomes, mapping, format=layout, progress=progress)
        calibration = calibrate(router, panel)
    if calibration is None:
        raise EvaluationError(
            f"none of the {counted(len(panel), 'query', 'queries')} "
            "is a calibration row that the router was not fitted on",
            where=str(outcomes),
            fix="mark some as split = calibration, or give prompts that were kept apart",
        )
    router.take_calibration(calibration)
