"""`tenbin router add-model`: what to ask a new candidate, and taking it into a router if its answers say it helps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, config_option, map_option, seed_option
from tenbin.cli.open_router import check_place, open_router, settings_of
from tenbin.cli.output import emit_json, json_option, say
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.router.router import Router


@click.command("add-model")
@click.argument("folder", metavar="ROUTER", type=FILE)
@click.argument("outcomes", type=FILE, required=False)
@click.option("--model", metavar="NAME", help="The new candidate, as the outcome table calls it.")
@click.option("--prices", type=FILE, metavar="FILE", help="Prices (TOML) that hold the new candidate's.")
@click.option("--out", required=True, type=FILE, metavar="PATH", help="Where to write the new router, or the prompts.")
@click.option("--force", is_flag=True, help="Take it in even where its labels do not show that it helps.")
@click.option("--suggest", type=int, metavar="N", help="Write N prompts worth asking (16 to 64) instead.")
@click.option("--prompts", type=FILE, metavar="FILE", help="The prompts to choose from: JSONL, or an outcome table.")
@map_option
@seed_option
@config_option
@json_option
def add_model(
    folder: Path,
    outcomes: Path | None,
    model: str | None,
    prices: Path | None,
    out: Path,
    force: bool,
    suggest: int | None,
    prompts: Path | None,
    renames: tuple[str, ...],
    seed: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Take a new candidate into a router, from a few of its answers.

    First choose what to ask, then give the outcomes of those prompts. The router is written only where they show that
    the new candidate helps, or with --force.

    \b
    tenbin router add-model my-router --suggest 32 --prompts prompts.jsonl --out ask.jsonl
    tenbin router add-model my-router answers.jsonl --model new-model --prices prices.toml --out my-router-2
    """
    from tenbin.cli.columns import renamed  # noqa: PLC0415 (numpy and the router only when needed)

    mapping = renamed(renames)
    if suggest is not None:
        if outcomes is not None or prompts is None:
            raise UsageError("--suggest chooses among prompts", fix="give --prompts FILE and no outcomes")
        if as_json and str(out) == "-":
            what = "--json sums up a suggestion, whose prompts already go to stdout"
            raise UsageError(what, fix="name a file with --out")
        choose(open_router(folder, config=config), prompts, suggest, out, seed, mapping, as_json)
    elif outcomes is None or model is None:
        raise UsageError("nothing says what to add", fix="give OUTCOMES and --model NAME, or --suggest N")
    else:
        learn(folder, outcomes, model, prices, out, force, seed, mapping, config, as_json)


def choose(
    router: Router, prompts: Path, count: int, out: Path, seed: int, mapping: dict[str, str] | None, as_json: bool
) -> None:
    """Write the prompts worth asking, as they stand in their file."""
    from tenbin.cli.prompt_file import read_prompt_file  # noqa: PLC0415
    from tenbin.cli.router_add_text import suggestion_json, suggestion_text  # noqa: PLC0415
    from tenbin.cli.whole_file import spare, whole_file  # noqa: PLC0415
    from tenbin.online.onboard import suggest  # noqa: PLC0415

    spare(out, prompts)
    lines = read_prompt_file(prompts, mapping)
    found = suggest(router, [line.query for line in lines], count, seed=seed)
    with whole_file(out) as stream:
        stream.writelines(f"{lines[place].text}\n" for place in found.places.tolist())
    if as_json:
        emit_json(suggestion_json(found, lines, out))
    elif str(out) != "-":
        say(suggestion_text(found, out))


def learn(
    folder: Path,
    outcomes: Path,
    model: str,
    prices: Path | None,
    out: Path,
    force: bool,
    seed: int,
    mapping: dict[str, str] | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Learn the candidate and write the new router, if it is to be taken in."""
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.cli.router_add_text import addition_json, addition_text  # noqa: PLC0415
    from tenbin.config import read_candidates  # noqa: PLC0415
    from tenbin.online.onboard import add_model as onboard  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.prices import PriceBook  # noqa: PLC0415
    from tenbin.types import Candidate  # noqa: PLC0415

    check_place(out)
    router = open_router(folder, config=config)
    book = PriceBook.load(prices) if prices is not None else None
    candidate = read_candidates(settings_of(config)).get(model, Candidate(model))
    with TerminalProgress() as progress:
        panel = read_outcomes(outcomes, mapping, progress=progress)
        found = onboard(router, panel, candidate, book, force=force, seed=seed)
    taken = force or found.evidence.suffices
    if taken:
        found.router.save(out)
    if as_json:
        emit_json(addition_json(found, out if taken else None))
    else:
        say(addition_text(found, router, out if taken else None))
