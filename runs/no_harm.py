"""No harm from few prompts: routers fitted on small random training sets, held to the mix that the same rows choose.

    python runs/no_harm.py OUTCOMES [PRICES] [--train-rows 50] [--seeds 10] [--without-models gemini-]

Per seed: fit on so many random prompts, decide at most 3,000 others, and subtract the AIQ and AIQ-log of Z_train, the
hull of single models picked on the same training rows. No harm holds where neither difference lies more than one
standard error (bootstrap over queries) below 0. CARROT-kNN of the same rows and embedding stands beside it. Prints one
JSON document, without and with group labels.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.baselines import Arena, contenders
from tenbin.evaluate.intervals import interval, standard_error
from tenbin.evaluate.subject import trained_baselines
from tenbin.evaluate.trial import Ground, Trial, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Panel

MUS = mu_grid(DIAL_POINTS)
MOST_TEST = 3_000
SIDES = ("router", "carrot_knn")
FIGURES = ("aiq", "aiq_log")


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = complete(without(panel, arguments.without_models) if arguments.without_models else panel)
    prices = PriceBook.load(arguments.prices) if arguments.prices else None
    document = {"data_hash": panel.data_hash, "n": len(panel), "models": list(panel.models), **rules(arguments)}
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for groups in (False, True):
        settings = FitSettings(embedder=arguments.embedder, groups=groups, learning_curve=False)
        found = [one(panel, prices, settings, arguments, seed) for seed in seeds]
        document["with groups" if groups else "without groups"] = {**summed(found), "seeds": found}
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?", help="needed where the outcomes have no dollars")
    made.add_argument("--without-models", default="", help="leave out models whose name starts so")
    made.add_argument("--embedder", default="base")
    made.add_argument("--train-rows", type=int, default=50)
    made.add_argument("--seeds", type=int, default=10)
    made.add_argument("--first-seed", type=int, default=0)
    made.add_argument("--resamples", type=int, default=500)
    return made


def rules(arguments: argparse.Namespace) -> dict[str, object]:
    return {"train_rows": arguments.train_rows, "most_test": MOST_TEST, "embedder": arguments.embedder}


def without(panel: Panel, prefix: str) -> Panel:
    """The panel without the models whose name starts with `prefix`."""
    return panel.of_models([model for model in panel.models if not model.startswith(prefix)])


def complete(panel: Panel) -> Panel:
    """The rows whose quality and dollars are all known."""
    return panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))


def one(panel: Panel, prices, settings: FitSettings, arguments: argparse.Namespace, seed: int) -> dict[str, object]:
    """One draw of training rows: differences to Z_train of both contenders."""
    order = np.random.default_rng(seed).permutation(len(panel))
    inside, rest = np.sort(order[: arguments.train_rows]), order[arguments.train_rows :]
    router = fit(panel.take(inside), prices, replace(settings, seed=seed))
    rest = np.array([i for i in rest if prompt_key(panel.queries[i]) not in router.seen])[:MOST_TEST]
    truth = panel.take(np.sort(rest))
    features = router.features(truth.queries)
    estimates = router.estimate(features)
    n = len(truth)
    arena = Arena(router.models, router.anchors, MUS, estimates, router.cost_usd(estimates), np.ones(n))
    met = contenders(arena, trained_baselines(router, features), truth.quality, truth.cost_usd, lambda _: None)
    met = tuple(c for c in met if c.name in (*SIDES, "z_train"))
    ground = Ground(truth.quality, truth.cost_usd, truth.latency_s, np.ones(n), np.arange(n, dtype=np.int64))
    points = replace(met[0], name="points")
    trial = run_trial(ground, met, points, resamples=arguments.resamples, seed=seed, tick=lambda _: None)
    print(f"groups {settings.groups}, seed {seed}: {n} test rows", file=sys.stderr, flush=True)
    return {"seed": seed, "n_test": n, **{name: held(trial, name) for name in SIDES}}


def held(trial: Trial, name: str) -> dict[str, object]:
    """A contender minus Z_train, and whether no harm holds."""
    apart = {figure: trial.column(name, figure) - trial.column("z_train", figure) for figure in FIGURES}
    found: dict[str, object] = {"no_harm": all(d[0] >= -standard_error(d) for d in apart.values())}
    for figure, difference in apart.items():
        value = interval(difference)
        found[figure] = {
            "value": value.value,
            "low": value.low,
            "high": value.high,
            "se": standard_error(difference),
        }
    return found


def summed(found: list[dict[str, object]]) -> dict[str, object]:
    """Over the seeds: how often no harm held, and mean, spread and least of the differences."""
    document = {}
    for name in SIDES:
        document[name] = {"no_harm": f"{sum(one[name]['no_harm'] for one in found)} of {len(found)}"}
        for figure in FIGURES:
            values = np.array([one[name][figure]["value"] for one in found])
            se = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None
            document[name][figure] = {"mean": values.mean(), "se_over_seeds": se, "least": values.min()}
    return document


if __name__ == "__main__":
    main()
