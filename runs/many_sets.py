"""Many small sets cut from one: random subjects, pools of models and sizes, each fitted on 60 % and judged on the rest.

    python runs/many_sets.py OUTCOMES [PRICES] [--sets 80] [--first-seed 0]

What a router does on three sets may be luck or tuning; here every seed makes a set of its own: 800 to 3,500 prompts of
one, two, four or all groups, two to eleven of the models (all, where there are fewer than four), without groups for
even seeds, with groups for odd ones. Prints one JSON document: for every contender, over the sets, the router's AIQ
and AIQ-log minus its own: mean, least, and in how many sets the difference lies more than one and more than 1.96
standard errors (bootstrap over queries) below 0. Each set goes to standard error as one line.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.baselines import Arena, contenders
from tenbin.evaluate.intervals import standard_error
from tenbin.evaluate.subject import trained_baselines
from tenbin.evaluate.trial import Ground, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Panel

MUS = mu_grid(DIAL_POINTS)
POOLS = 2, 3, 4, 6, 8, 11
PROMPTS = 800, 1_200, 2_000, 3_500
LEAST_PROMPTS = 700
GROUPS = 1, 2, 4, None
TRAIN_SHARE = 0.6
FIGURES = "aiq", "aiq_log"


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))
    prices = PriceBook.load(arguments.prices) if arguments.prices else None
    found = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.sets):
        found.append(one(panel, prices, seed, arguments))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    names = sorted({name for apart in found for name in apart["router_minus"]})
    document = {"data_hash": panel.data_hash, "sets": len(found), "router_minus": {n: summed(found, n) for n in names}}
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?", help="needed where the outcomes have no dollars")
    made.add_argument("--sets", type=int, default=80)
    made.add_argument("--first-seed", type=int, default=0)
    made.add_argument("--embedder", default="base")
    made.add_argument("--resamples", type=int, default=200)
    return made


def cut(panel: Panel, rng: np.random.Generator) -> Panel:
    """A set of its own: some models, the prompts of some groups, in random order."""
    count = len(panel.models)
    kept = np.sort(rng.permutation(count)[: rng.choice(POOLS)]) if count > 3 else np.arange(count)
    group = np.array([query.group or "" for query in panel.queries])
    names, size = rng.permutation(np.unique(group)), int(rng.choice(PROMPTS))
    n_groups = GROUPS[rng.integers(len(GROUPS))] or len(names)
    rows = np.flatnonzero(np.isin(group, names[:n_groups]))
    while len(rows) < LEAST_PROMPTS and n_groups < len(names):
        n_groups += 1
        rows = np.flatnonzero(np.isin(group, names[:n_groups]))
    return panel.take(rng.permutation(rows)[:size]).of_models([panel.models[m] for m in kept])


def one(panel: Panel, prices: PriceBook | None, seed: int, arguments: argparse.Namespace) -> dict[str, object]:
    """One set: the router minus every contender, each difference with its standard error."""
    made = cut(panel, np.random.default_rng([1, seed]))
    inside = int(TRAIN_SHARE * len(made))
    settings = FitSettings(embedder=arguments.embedder, groups=bool(seed % 2), learning_curve=False, seed=seed)
    router = fit(made.take(np.arange(inside)), prices, settings)
    rest = [i for i in range(inside, len(made)) if prompt_key(made.queries[i]) not in router.seen]
    truth = made.take(np.array(rest))
    features, n = router.features(truth.queries), len(truth)
    estimates = router.estimate(features)
    arena = Arena(router.models, router.anchors, MUS, estimates, router.cost_usd(estimates), np.ones(n))
    met = contenders(arena, trained_baselines(router, features), truth.quality, truth.cost_usd, lambda _: None)
    ground = Ground(truth.quality, truth.cost_usd, truth.latency_s, np.ones(n), np.arange(n, dtype=np.int64))
    points = replace(met[0], name="points")
    trial = run_trial(ground, met, points, resamples=arguments.resamples, seed=seed, tick=lambda _: None)
    apart = {}
    for other in met[1:]:
        if other.name != "oracle":
            rows = {figure: trial.column(met[0].name, figure) - trial.column(other.name, figure) for figure in FIGURES}
            apart[other.name] = {figure: (float(d[0]), standard_error(d)) for figure, d in rows.items()}
    return {"seed": seed, "models": len(made.models), "n_train": inside, "n_test": n, "router_minus": apart}


def summed(found: list[dict], name: str) -> dict[str, object]:
    """Over the sets that have this contender."""
    document: dict[str, object] = {}
    for figure in FIGURES:
        pairs = [apart["router_minus"][name][figure] for apart in found if name in apart["router_minus"]]
        value, se = (np.array(column) for column in zip(*pairs, strict=True))
        document[figure] = {
            "sets": len(value),
            "mean": float(value.mean()),
            "se_over_sets": float(value.std() / np.sqrt(len(value))),
            "least": float(value.min()),
            "below_by_1_se": int((value < -se - 1e-12).sum()),
            "below_by_1.96_se": int((value < -1.96 * se - 1e-12).sum()),
        }
    return document


if __name__ == "__main__":
    main()
