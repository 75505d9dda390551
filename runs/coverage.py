"""How often the printed intervals cover: evaluation sets drawn from a pool whose truth is known.

    python runs/coverage.py OUTCOMES PRICES [--router ROUTER] [--sizes 200,500,2000] [--draws 200] [--resamples 500]

The router is fitted on all rows; its out-of-fold estimates and the outcomes are the pool, and figures over the whole
pool are the truth. Per draw an evaluation set is drawn from it with replacement, and `evaluate`'s intervals are made
of that: quality, dollars, quality share and saving at each operating point, the saving over a blind mixture, and the
gains in AIQ and AIQ-log over the zero router. Prints one JSON document: the share of draws whose 95 % interval holds
the truth (an end that is not known holds everything on its side), the least over operating points beside the mean.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.baselines import Field
from tenbin.evaluate.curve import constant, swept
from tenbin.evaluate.intervals import interval
from tenbin.evaluate.operating_points import contend, operating_points, settings_of
from tenbin.evaluate.result import Figure
from tenbin.evaluate.trial import Ground, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Estimates

MUS = mu_grid(61)
AT_A_POINT = ("quality", "cost_usd", "quality_ratio", "saving", "blind_saving")


def main() -> None:
    arguments = parser().parse_args()
    if arguments.router is None:
        panel = replace(read_outcomes(arguments.outcomes), split=None)
        panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))
        router = fit(panel, PriceBook.load(arguments.prices), FitSettings(learning_curve=False))
    else:
        router = Router.load(arguments.router)
    n_pool = len(router.crossfit.observed.quality)
    truth = figures_of(router, np.arange(n_pool), resamples=1, seed=0)
    document: dict[str, object] = {"data_hash": router.manifest.data_hash, "pool": n_pool, "draws": arguments.draws}
    for size in map(int, arguments.sizes.split(",")):
        held: dict[str, list[bool]] = {name: [] for name in truth}
        for draw in range(arguments.draws):
            rows = np.random.default_rng([size, draw]).integers(0, n_pool, size)
            found = figures_of(router, rows, resamples=arguments.resamples, seed=draw)
            for name, figure in found.items():
                if math.isfinite(truth[name].value):
                    held[name].append(holds(figure, truth[name].value))
        document[str(size)] = summed(held)
        print(size, json.dumps(document[str(size)]), file=sys.stderr, flush=True)
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--router", type=Path, help="a router fitted on the same complete rows, instead of fitting one")
    made.add_argument("--sizes", default="200,500,2000")
    made.add_argument("--draws", type=int, default=200)
    made.add_argument("--resamples", type=int, default=500)
    return made


def figures_of(router: Router, rows: np.ndarray, *, resamples: int, seed: int) -> dict[str, Figure]:
    """The figures of an evaluation set of these pool rows with their intervals, by name."""
    whole = router.crossfit.estimates
    estimates = Estimates(**{n: None if (v := getattr(whole, n)) is None else v[rows] for n in Estimates.__slots__})
    observed, cost = router.crossfit.observed, router.cost_usd(estimates)
    n, models = len(rows), router.models
    field = Field(models, router.anchors, MUS, estimates, cost, np.ones(n))
    quality, dollars = observed.quality[rows], router.observed_cost_usd()[rows]
    ground = Ground(quality, dollars, observed.latency_s[rows], np.ones(n), np.arange(n, dtype=np.int64))
    contender = swept("router", "", estimates, cost, models, router.anchors, MUS, field.weight)
    zero = constant("zero", "", np.arange(len(models)), models, n, deployable=True)
    settings = settings_of(router.dial_curve(Dial()))
    points = contend(settings, field)
    trial = run_trial(ground, (contender, zero), points, resamples=resamples, seed=seed, tick=lambda _: None)
    reference = models.index(router.anchors.reference)
    found = {
        f"{name} at {point.kind} {point.target:g}": getattr(point, name)
        for point in operating_points(trial, settings, points, ground, reference)
        for name in AT_A_POINT
    }
    for figure in ("aiq", "aiq_log"):
        found[f"gain in {figure}"] = interval(trial.column("router", figure) - trial.column("zero", figure))
    return found


def holds(figure: Figure, truth: float) -> bool:
    """Whether the interval holds the truth, give or take rounding."""
    slack = 1e-9 * abs(truth)
    return not (figure.low > truth + slack or figure.high < truth - slack)


def summed(held: dict[str, list[bool]]) -> dict[str, object]:
    """Shares of draws by kind of figure: mean, least and most over operating points."""
    kinds: dict[str, list[float]] = {}
    for name, draws in held.items():
        if draws:
            kinds.setdefault(name.partition(" at ")[0], []).append(float(np.mean(draws)))
    return {
        kind: [round(float(value), 4) for value in (np.mean(shares), min(shares), max(shares))]
        for kind, shares in kinds.items()
    }


if __name__ == "__main__":
    main()
