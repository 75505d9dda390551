"""When prompts say nothing: prompts shuffled against outcomes, so that the best any router can do is a fixed mixture.

    python runs/shuffled.py OUTCOMES [PRICES] [--rows 3000] [--seeds 10]

Per seed: draw rows, deal their prompts (with their groups) to other rows, fit on one half, evaluate on the other. Held
to be right: AIQ and AIQ-log not more than one standard error below Z_train's, and a verdict that does not say "route".
Prints one JSON document with every seed and the counts of verdicts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.evaluation import evaluate
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Panel


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    prices = PriceBook.load(arguments.prices) if arguments.prices else None
    document = {"data_hash": panel.data_hash, "n": len(panel), "rows": min(arguments.rows, len(panel))}
    for groups in (False, True):
        settings = FitSettings(embedder=arguments.embedder, groups=groups, learning_curve=False)
        found = [one(panel, prices, settings, arguments, seed) for seed in range(arguments.seeds)]
        document["with groups" if groups else "without groups"] = {**counted(found), "seeds": found}
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?", help="needed where the outcomes have no dollars")
    made.add_argument("--rows", type=int, default=3_000, help="rows drawn per seed, half of them to fit on")
    made.add_argument("--seeds", type=int, default=10)
    made.add_argument("--embedder", default="base")
    made.add_argument("--resamples", type=int, default=1_000)
    return made


def shuffled(panel: Panel, rows: int, seed: int) -> tuple[Panel, Panel]:
    """Two halves of `rows` random rows whose prompts were dealt anew."""
    rng = np.random.default_rng(seed)
    drawn = panel.take(rng.permutation(len(panel))[:rows])
    dealt = replace(drawn, queries=tuple(drawn.queries[i] for i in rng.permutation(len(drawn))))
    half = len(dealt) // 2
    return dealt.take(np.arange(half)), dealt.take(np.arange(half, len(dealt)))


def one(panel: Panel, prices, settings: FitSettings, arguments: argparse.Namespace, seed: int) -> dict[str, object]:
    """One deal: what the verdict says, and the differences to Z_train."""
    train, test = shuffled(panel, arguments.rows, seed)
    evaluation = evaluate(
        fit(train, prices, replace(settings, seed=seed)), test, resamples=arguments.resamples, seed=seed
    )
    print(f"groups {settings.groups}, seed {seed}: {evaluation.verdict.kind}", file=sys.stderr, flush=True)
    knn = next(s for s in evaluation.summaries if s.name == "carrot_knn")
    zero = next(s for s in evaluation.summaries if s.name == "z_train")
    return {
        "seed": seed,
        "n_test": evaluation.data.n_test,
        "verdict": evaluation.verdict.kind,
        "says_nothing": evaluation.verdict.prompts_say_nothing,
        "chance": evaluation.verdict.chance,
        "words": evaluation.verdict.sentences["en"],
        "no_harm": asdict(evaluation.no_harm),
        "knn_minus_z_train": {f: getattr(knn, f).value - getattr(zero, f).value for f in ("aiq", "aiq_log")},
    }


def counted(found: list[dict[str, object]]) -> dict[str, object]:
    """Over the seeds: verdicts, how often they said that prompts say nothing, no harm, mean differences."""
    differences = {
        figure: np.array([one["no_harm"][figure]["value"] for one in found]) for figure in ("aiq", "aiq_log")
    }
    return {
        "verdicts": dict(Counter(one["verdict"] for one in found)),
        "prompts say nothing": sum(one["says_nothing"] for one in found),
        "least chance": min(one["chance"] for one in found),
        "no harm": sum(one["no_harm"]["passed"] for one in found),
        "minus z_train": {name: {"mean": d.mean(), "least": d.min()} for name, d in differences.items()},
        "knn minus z_train": {
            name: float(np.mean([one["knn_minus_z_train"][name] for one in found])) for name in differences
        },
    }


if __name__ == "__main__":
    main()
