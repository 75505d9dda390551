"""`tenbin demo`: the main job on real outcomes, from fit to three explained decisions, in a minute."""

from __future__ import annotations

import importlib.util
import json
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.output import emit_json, faint, json_option, say, strong
from tenbin.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from tenbin.cli.progress import TerminalProgress
    from tenbin.evaluate.result import Evaluation
    from tenbin.router.router import Router
    from tenbin.types import Decision

PACKAGE = "pareto_bandit"
FIT_ON, HELD_OUT = "val.jsonl", "test_holdout.jsonl"
KEEP = 0.97
PROMPTS = (
    "What is the capital of Australia?",
    "Write a Python function that merges two sorted linked lists and explain its running time.",
    "A 0.50 kg ball is thrown straight up at 12 m/s. Ignoring air resistance, how much kinetic energy does it have at "
    "half of its maximum height? Show every step and answer with the number in joules.",
)
WORDS: Mapping[str, tuple[str, str]] = {
    "what": (
        "Real outcomes from the package paretobandit: {models} models, {n} prompts to fit on, the holdout to prove it.",
        "パッケージ paretobandit の実測データ: {models} モデル、学習用プロンプト {n} 件、検証は別の未学習データ。",
    ),
    "fit": ("1. Fit", "1. 学習"),
    "evaluate": ("2. Evaluate on prompts it has not seen", "2. 未学習のプロンプトで評価"),
    "route": (
        "3. Route three new prompts, keeping 97% of the best model's quality",
        "3. 新しいプロンプト 3 件を振り分け (最良モデルの品質の 97% を維持)",
    ),
    "report": ("Open the report", "レポートを開く"),
    "done": ("Done in {seconds:.0f} s.", "{seconds:.0f} 秒で完了。"),
    "next": ("Now with your own table of outcomes:", "次はご自身の測定データで:"),
}


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default="tenbin-demo", show_default=True, metavar="DIR", help="Folder."
)
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the words.")
@json_option
def demo(out: Path, lang: str, as_json: bool) -> None:
    """Fit, prove and route on real outcomes, in one minute.

    Needs the package paretobandit for its data (Apache-2.0; nothing of it is run). Writes a router, a report and the
    figures to DIR.
    """
    from tenbin.cli.fit_text import fit_text, measured  # noqa: PLC0415 (numpy and the router only when run)
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.router.fit import fit  # noqa: PLC0415

    started = time.monotonic()
    source, held_out = outcome_files()
    words = {key: pair[lang == "ja"] for key, pair in WORDS.items()}
    talk = quiet if as_json else say
    make_folder(out)
    with TerminalProgress() as progress:
        panel = read_outcomes(source, progress=progress)
        talk(words["what"].format(models=len(panel.models), n=f"{len(panel):,}"))
        talk(f"\n{strong(words['fit'])}\n")
        router = fit(panel, progress=progress)
        router.save(out / "router")
        found = measured(router)
        progress.finish()
        talk(fit_text(router, out / "router", found, next_step=False))
        talk(f"\n{strong(words['evaluate'])}\n")
        evaluation = prove(router, held_out, out, lang, progress)
        progress.finish()
    decisions = decide(router)
    if as_json:
        emit_json(summary(out, router, evaluation, decisions, time.monotonic() - started))
        return
    show(evaluation, decisions, words, lang)
    say(f"{words['report']}: {strong(str((out / 'report.html').absolute()))}")
    say(words["done"].format(seconds=time.monotonic() - started))
    say(f"\n{words['next']}")
    say(strong("  tenbin fit OUTCOMES.parquet --prices PRICES.toml --out my-router"))
    say(faint(f"  tenbin route {shlex.quote(str(out / 'router'))} 'your prompt' --min-quality {KEEP}"))


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
    if out.exists() and not out.is_dir():
        raise UsageError("is a file", where=str(out), fix="name a folder with --out")
    out.mkdir(parents=True, exist_ok=True)


def prove(router: Router, held_out: Path, out: Path, lang: str, progress: TerminalProgress) -> Evaluation:
    """Evaluate on the holdout and write report and figures."""
    from tenbin.cli.whole_file import whole_file  # noqa: PLC0415
    from tenbin.evaluate.evaluation import evaluate  # noqa: PLC0415
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.report import write_report  # noqa: PLC0415

    evaluation = evaluate(router, read_outcomes(held_out, progress=progress), progress=progress)
    write_report(evaluation, out / "report.html", lang=lang)
    with whole_file(out / "evaluation.json") as stream:
        stream.write(json.dumps(evaluation.to_json(), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return evaluation


def decide(router: Router) -> list[Decision]:
    """The decisions for the three prompts."""
    from tenbin.router.dials import Dial  # noqa: PLC0415
    from tenbin.types import Query  # noqa: PLC0415

    trade_off = router.turn(Dial(min_quality=KEEP))
    return [router.decide(Query(str(i), prompt), trade_off) for i, prompt in enumerate(PROMPTS, start=1)]


def show(evaluation: Evaluation, decisions: list[Decision], words: Mapping[str, str], lang: str) -> None:
    """The verdict, then the decisions with their reasons."""
    from tenbin.cli.decision_text import decision_text  # noqa: PLC0415
    from tenbin.cli.evaluate_text import evaluation_text  # noqa: PLC0415

    say(evaluation_text(evaluation, lang))
    say(f"\n{strong(words['route'])}\n")
    for prompt, decision in zip(PROMPTS, decisions, strict=True):
        say(f"› {prompt}")
        say(f"{decision_text(decision, versions=False)}\n")


def summary(
    out: Path, router: Router, evaluation: Evaluation, decisions: list[Decision], seconds: float
) -> dict[str, object]:
    """The fields of the `--json` document."""
    from tenbin.cli.decision_text import decision_json  # noqa: PLC0415

    return {
        "router": out / "router",
        "report": out / "report.html",
        "figures": out / "evaluation.json",
        "artifact_hash": router.manifest.artifact_hash,
        "verdict": evaluation.verdict,
        "decisions": [
            {"prompt": prompt, **decision_json(decision)} for prompt, decision in zip(PROMPTS, decisions, strict=True)
        ],
        "seconds": round(seconds, 3),
    }
