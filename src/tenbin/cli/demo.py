"""`tenbin demo`: the main job on real outcomes, from fit to three explained decisions, in a minute."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, lang_option
from tenbin.cli.output import clip, emit_json, faint, json_option, prose, say, strong, terminal_width, words_of
from tenbin.cli.vector_cache import vector_cache
from tenbin.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from tenbin.cli.progress import TerminalProgress
    from tenbin.evaluate.result import Evaluation
    from tenbin.report.catalogue import Catalogue
    from tenbin.router.dials import Dial
    from tenbin.router.router import Router
    from tenbin.types import Decision, Panel, Query

PACKAGE = "pareto_bandit"
FIT_ON, HELD_OUT = "val.jsonl", "test_holdout.jsonl"
KEEP = 0.97
LONGEST_SHOWN = 240


@click.command()
@click.option("--out", type=FILE, default="tenbin-demo", show_default=True, metavar="DIR", help="Folder.")
@lang_option
@json_option
def demo(out: Path, lang: str, as_json: bool) -> None:
    """Fit, prove and route on real outcomes, in one minute.

    Needs the package paretobandit for its data (Apache-2.0; nothing of it is run). Writes a router, a report and the
    figures to DIR.
    """
    from tenbin.cli.fit_text import fit_text, measured  # noqa: PLC0415 (numpy and the router only when run)
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.router.fit import FitSettings, fit  # noqa: PLC0415

    started = time.monotonic()
    source, held_out = outcome_files()
    words = words_of(lang)
    talk = quiet if as_json else say
    make_folder(out)
    kept = vector_cache(None, os.environ)
    with TerminalProgress() as progress:
        panel = read_outcomes(source, progress=progress)
        talk(prose(words("demo.what", models=str(len(panel.models)), n=f"{len(panel):,}")))
        talk(f"\n{strong(words('demo.fit'))}\n")
        router = fit(panel, settings=FitSettings(vector_cache=kept), progress=progress)
        router.save(out / "router")
        found = measured(router)
        progress.finish()
        talk(fit_text(router, out / "router", found, lang, next_step=False))
        talk(f"\n{strong(words('demo.evaluate'))}\n")
        unseen = read_outcomes(held_out, progress=progress)
        evaluation = prove(router, unseen, out, lang, progress)
        progress.finish()
    decisions = decide(router, unseen)
    if as_json:
        emit_json(summary(out, router, evaluation, decisions, time.monotonic() - started))
        return
    show(evaluation, decisions, words, lang)
    say(f"{words('demo.report')}: {strong(str((out / 'report.html').absolute()))}")
    say(words("demo.done", seconds=f"{time.monotonic() - started:.0f}"))
    say(f"\n{words('demo.next')}")
    say(strong(f"  {program()} fit OUTCOMES.parquet --prices PRICES.toml --out my-router"))
    say(faint(f"  {program()} route {shlex.quote(str(out / 'router'))} 'your prompt' --min-quality {KEEP}"))


def program() -> str:
    """How to call this command again: by name where the shell finds it, else (`make demo`) by the path it ran by."""
    return "tenbin" if shutil.which("tenbin") or not Path(sys.argv[0]).is_file() else shlex.quote(sys.argv[0])


def quiet(_text: str = "") -> None:
    """Say nothing: `--json` prints one document and no more."""


def outcome_files() -> tuple[Path, Path]:
    """The two files of real outcomes, found without importing the package (MissingExtraError without it)."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        folder = Path(place) / "data" / "examples"
        if (folder / FIT_ON).is_file() and (folder / HELD_OUT).is_file():
            return folder / FIT_ON, folder / HELD_OUT
    raise MissingExtraError(
        "the demo reads its outcomes from the package paretobandit, which is not installed",
        fix="install it with 'pip install paretobandit' and run 'tenbin demo' again",
    )


def make_folder(out: Path) -> None:
    """Make the folder of the demo where it is not there (UsageError where a file is, or nothing can be made)."""
    if out.exists() and not out.is_dir():
        raise UsageError("is a file", where=str(out), fix="name a folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made ({error.strerror})"
        raise UsageError(what, where=str(out), fix="name another folder with --out") from error


def prove(router: Router, unseen: Panel, out: Path, lang: str, progress: TerminalProgress) -> Evaluation:
    """Evaluate on the holdout and write report and figures."""
    from tenbin.cli.evaluate import dated, keep  # noqa: PLC0415
    from tenbin.evaluate.evaluation import evaluate  # noqa: PLC0415
    from tenbin.report import write_report  # noqa: PLC0415

    evaluation = dated(evaluate(router, unseen, progress=progress), date.today())
    write_report(evaluation, out / "report.html", lang=lang)
    keep(evaluation, out / "evaluation.json")
    return evaluation


def decide(router: Router, panel: Panel) -> list[tuple[Query, Dial, Decision]]:
    """Three decisions for prompts of the holdout: two models that 97 % leads to, and one that best quality changes."""
    from tenbin.router.dials import Dial  # noqa: PLC0415

    queries = [query for query in panel.queries if len(query.prompt) <= LONGEST_SHOWN] or list(panel.queries)
    keep, best = Dial(min_quality=KEEP), Dial(best=True)
    kept, finest = router.turn(keep), router.turn(best)
    frugal, lavish = router.route(queries, [kept, finest]).chosen.tolist()
    second = next((i for i, model in enumerate(frugal) if model != frugal[0]), len(queries) // 2)
    others = (i for i, model in enumerate(lavish) if model != frugal[i] and i not in (0, second))
    third = next(others, len(queries) - 1)
    asked = ((queries[0], keep, kept), (queries[second], keep, kept), (queries[third], best, finest))
    return [(query, dial, router.decide(query, trade_off)) for query, dial, trade_off in asked]


def show(evaluation: Evaluation, decisions: list[tuple[Query, Dial, Decision]], words: Catalogue, lang: str) -> None:
    """The verdict, then the decisions with their reasons."""
    from tenbin.cli.decision_text import decision_text, dial_text  # noqa: PLC0415
    from tenbin.cli.evaluate_text import evaluation_text  # noqa: PLC0415

    say(evaluation_text(evaluation, lang))
    say(f"\n{strong(prose(words('demo.route')))}\n")
    for query, dial, decision in decisions:
        say(f"› {clip(query.prompt, min(110, (terminal_width() or 112) - 2))}")
        say(f"{decision_text(decision, dial_text(dial, words, decision.trade_off.mu), words, versions=False)}\n")


def summary(
    out: Path,
    router: Router,
    evaluation: Evaluation,
    decisions: list[tuple[Query, Dial, Decision]],
    seconds: float,
) -> dict[str, object]:
    """The fields of the `--json` document."""
    from tenbin.cli.decision_text import decision_json  # noqa: PLC0415

    return {
        "router": out / "router",
        "report": out / "report.html",
        "figures": out / "evaluation.json",
        "artifact_hash": router.manifest.artifact_hash,
        "verdict": evaluation.verdict,
        "decisions": [{"prompt": query.prompt, **decision_json(decision)} for query, _, decision in decisions],
        "seconds": round(seconds, 3),
    }
