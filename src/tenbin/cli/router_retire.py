"""`tenbin router retire-model`: a router without one of its candidates, with no refit."""

from __future__ import annotations

from pathlib import Path

import click

from tenbin.cli.flags import FILE, config_option
from tenbin.cli.open_router import check_place, open_router
from tenbin.cli.output import emit_json, good, json_option, say, strong, usd


@click.command("retire-model")
@click.argument("folder", metavar="ROUTER", type=FILE)
@click.argument("model", metavar="NAME")
@click.option("--out", required=True, type=FILE, metavar="ROUTER", help="The folder to write the new router to.")
@click.option("--reference", metavar="MODEL", help="The new reference, where the old one retires.")
@config_option
@json_option
def retire_model(
    folder: Path, model: str, out: Path, reference: str | None, config: Path | None, as_json: bool
) -> None:
    """Write the router without one of its candidates.

    Nothing is fitted anew, and the others' decisions are as if it had been denied.

    \b
    tenbin router retire-model my-router old-model --out my-router-2
    """
    from tenbin.router.pool import without_candidate  # noqa: PLC0415 (numpy and the router only when needed)

    check_place(out)
    before = open_router(folder, config=config)
    after = without_candidate(before, model, reference)
    after.save(out)
    manifest = after.manifest
    if as_json:
        emit_json(
            {
                "router": out,
                "artifact_hash": manifest.artifact_hash,
                "retired": model,
                "models": manifest.models,
                "reference": manifest.reference,
                "c_ref_usd": manifest.c_ref_usd,
                "t_ref_s": manifest.t_ref_s,
            }
        )
        return
    say(f"{good('Retired')} {model}: {strong(str(out))} chooses among {', '.join(manifest.models)}")
    if manifest.reference != before.manifest.reference:
        mean = usd(1000 * manifest.c_ref_usd)
        say(f"  The reference is {manifest.reference} now ({mean} per 1,000): a mu of before means another trade-off.")
