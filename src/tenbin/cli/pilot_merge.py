"""`tenbin pilot merge A B --out FILE`: several pilots as one outcome table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, root_option
from tenbin.cli.output import NAME_WIDTH, caution, clip, emit_json, json_option, number, say
from tenbin.errors import UsageError
from tenbin.reasons import counted

if TYPE_CHECKING:
    from tenbin.pilot.merge import Merged

SHOWN = 10


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The table (.parquet, .jsonl, .csv).")
@click.option("--force", is_flag=True, help="Merge although the metrics differ; the column judge tells them apart.")
@root_option
@json_option
def merge(names: tuple[str, ...], out: Path, force: bool, root: Path, as_json: bool) -> None:
    """Merge the outcomes of several pilots into one table.

    The same prompt, told by its normalised text, becomes one query; its labels of all pilots are kept. Where two pilots
    labelled the same pair differently, the later label holds and the clash is said.

    \b
    tenbin pilot merge support legal --out all.parquet
    """  # fmt: skip
    from tenbin.outcomes.write import write_outcomes  # noqa: PLC0415 (numpy only when a table is written)
    from tenbin.pilot.believed import believed  # noqa: PLC0415
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415
    from tenbin.pilot.merge import Source  # noqa: PLC0415
    from tenbin.pilot.merge import merge as merged_of  # noqa: PLC0415
    from tenbin.pilot.results import read_results  # noqa: PLC0415

    if len(names) < 2:
        raise UsageError("one pilot is no merge", fix="name two or more, or use 'tenbin pilot export'")
    folders = [PilotFolder(root / name) for name in names]
    sources = [
        Source(it.name, results.metric or it.read_settings().metric_name, believed(results), it.read_plan())
        for it, results in ((it, read_results(it)) for it in folders)
    ]
    merged = merged_of(sources, force=force)
    if not merged.rows:
        raise UsageError("the pilots have no answer yet", fix="run them first: tenbin pilot run NAME")
    write_outcomes(out, merged.rows)
    if as_json:
        emit_json(_document(merged, out))
        return
    say(_text(merged))
    say(f"table  {out}")


def _document(merged: Merged, out: Path) -> dict[str, object]:
    return {
        "out": out,
        "rows": len(merged.rows),
        "queries": len({row.query.query_id for row in merged.rows}),
        "models": sorted({row.outcome.model for row in merged.rows}),
        "metrics": merged.metrics,
        "shared": merged.shared,
        "moved": merged.moved,
        "regrouped": merged.regrouped,
        "renamed": merged.renamed,
        "agreed": merged.agreed,
        "one_sided": merged.one_sided,
        "clashes": merged.clashes,
    }


def _text(merged: Merged) -> str:
    queries = len({row.query.query_id for row in merged.rows})
    models = len({row.outcome.model for row in merged.rows})
    said = [
        f"{counted(len(merged.rows), 'row')} of {counted(queries, 'prompt')} and {counted(models, 'model')}",
        f"{counted(merged.shared, 'prompt')} stood in more than one pilot; "
        f"{counted(merged.agreed, 'pair was', 'pairs were')} labelled alike in two",
    ]
    if merged.moved:
        said.append(f"{merged.moved:,} of them were in different splits: the earlier use holds (train first)")
    if merged.regrouped:
        said.append(f"{merged.regrouped:,} of them had different groups: that of the first pilot holds")
    if merged.renamed:
        said.append(f"{counted(merged.renamed, 'prompt')} had the id of another one: PILOT/ID is their id now")
    if merged.one_sided:
        said.append(
            caution(
                f"{counted(merged.one_sided, 'pair of shared prompts was', 'pairs of shared prompts were')}"
                " drawn by lot in one pilot alone: weighted means may lean on them too much,"
                " for the other was planned by a Tenbin that did not write down its chance"
            )
        )
    if len(set(merged.metrics.values())) > 1:
        said.append(caution("The metrics differ: their qualities do not compare (--force was given)."))
    if merged.clashes:
        said.append(
            caution(
                f"{counted(len(merged.clashes), 'pair was', 'pairs were')} labelled differently; the later label holds:"
            )
        )
    for clash in merged.clashes[:SHOWN]:
        values = ", ".join(f"{name} {number(quality)}" for name, quality in clash.quality.items())
        pair = f"{clip(clash.query_id, NAME_WIDTH)} / {clip(clash.model, NAME_WIDTH)}"
        said.append(f"  {pair}: {values}; {clash.kept}'s holds")
    if len(merged.clashes) > SHOWN:
        said.append(f"  and {len(merged.clashes) - SHOWN:,} more (--json lists all)")
    return "\n".join(said)
