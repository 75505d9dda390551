"""How often the printed intervals cover: evaluation sets drawn from a pool whose truth is known.

    python runs/coverage.py OUTCOMES [PRICES] [--router ROUTER] [--sizes 200,500,2000] [--draws 200] [--resamples 500]

The router is fitted on all rows; its out-of-fold estimates and the outcomes are the pool, and figures over the whole
pool are the truth. Per draw an evaluation set is drawn from it with replacement, and `evaluate`'s intervals are made
of that: quality, dollars, quality share and saving at each operating point, the saving over a blind mixture, and what
is read off a hull: the gains in AIQ and AIQ-log over the zero router, and the saving at 95 and 97 % of the best single
model. "promised ..." are the intervals of `fit`, `router show` and `route`: the drawn rows are the training rows, the
dials are turned on them too, and the truth is what the pool gives at the mu that came out. Prints one JSON document: by
kind of figure the share of draws, in per cent, whose 95 % interval holds the truth (an end that is not known holds
everything on its side): mean, least and most over operating points. `--start` takes other draws, to choose on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.baselines import Field
from tenbin.evaluate.comparison import flipped
from tenbin.evaluate.curve import Contender, constant, sweep, swept
from tenbin.evaluate.intervals import interval
from tenbin.evaluate.operating_points import Setting, contend, operating_points, settings_of
from tenbin.evaluate.promise import promised
from tenbin.evaluate.result import Figure
from tenbin.evaluate.trial import Ground, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router

MUS = mu_grid(61)
ASKED = 0.92, 0.98
AT_A_POINT = ("quality", "cost_usd", "quality_ratio", "saving", "blind_saving")


@dataclass(frozen=True, slots=True)
class Pool:
    """All rows of a router as its out-of-fold estimates decide them: a decision does not depend on the other rows.

    `dial` [D, n] are the choices at `dial_mus`, on which promises turn; `truth` [D, 2] mean quality and dollars there.
    """

    models: tuple[str, ...]
    reference: int
    ground: Ground
    settings: tuple[Setting, ...]
    points: Contender
    curve: Contender
    dial_mus: np.ndarray
    dial: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.ground.weight)

    def ground_of(self, rows: np.ndarray) -> Ground:
        """The outcomes of some rows, each a query of its own."""
        parts = {name: getattr(self.ground, name)[rows] for name in ("quality", "cost_usd", "latency_s", "weight")}
        return Ground(**parts, cluster=np.arange(len(rows), dtype=np.int64))

    def evaluated(self, rows: np.ndarray, *, resamples: int, seed: int) -> dict[str, Figure]:
        """The figures of an evaluation set of these rows, by name."""
        ground = self.ground_of(rows)
        router, points = (taken(contender, rows) for contender in (self.curve, self.points))
        zero = constant("zero", "", np.arange(len(self.models)), self.models, len(rows), deployable=True)
        trial = run_trial(ground, (router, zero), points, resamples=resamples, seed=seed, tick=lambda _: None)
        found = {
            f"{name} at {point.kind} {point.target:g}": getattr(point, name)
            for point in operating_points(trial, self.settings, points, ground, self.reference)
            for name in AT_A_POINT
        }
        for figure in ("aiq", "aiq_log"):
            found[f"gain in {figure}"] = interval(trial.column("router", figure) - trial.column("zero", figure))
        for ratio in (95, 97):
            found[f"hull saving at {ratio}"] = flipped(interval(trial.column("router", f"cost_at_{ratio}")))
        return found

    def promised(self, rows: np.ndarray, seed: int) -> dict[str, tuple[Figure, float]]:
        """What a fit on these rows would promise where its dial is turned to shares of quality, each with the truth."""
        ground, at = self.ground_of(rows), np.arange(len(rows))
        quality, cost = (
            np.array([values[at, choice[rows]].mean() for choice in self.dial])
            for values in (ground.quality, ground.cost_usd)
        )
        own = (float(values[:, self.reference].mean()) for values in (ground.quality, ground.cost_usd))
        curve = DialCurve(self.dial_mus, quality, cost, *own)
        set_to = [setting for setting in settings_of(curve) if setting.kind == "min_quality" and setting.reached]
        where = [int(np.argmin(np.abs(self.dial_mus - setting.mu))) for setting in set_to]
        if not where:
            return {}
        found = {}
        whole = self.ground.quality[:, self.reference].mean(), self.ground.cost_usd[:, self.reference].mean()
        for setting, k, promise in zip(
            set_to, where, promised(ground, self.dial[where][:, rows], self.reference, seed=seed), strict=True
        ):
            true_quality, true_cost = self.truth[k]
            true = (true_quality, true_cost, true_quality / whole[0], 1.0 - true_cost / whole[1])
            for name, value in zip(AT_A_POINT, true, strict=False):
                found[f"promised {name} at {setting.target:g}"] = (getattr(promise, name), float(value))
        return found


def main() -> None:
    arguments = parser().parse_args()
    pool = pool_of(router_of(arguments))
    everything = np.arange(len(pool))
    truth = pool.evaluated(everything, resamples=2, seed=0)
    document: dict[str, object] = {"pool": len(pool), "draws": arguments.draws, "resamples": arguments.resamples}
    for size in map(int, arguments.sizes.split(",")):
        held: dict[str, list[bool]] = {}
        for draw in range(arguments.start, arguments.start + arguments.draws):
            rows = np.random.default_rng([size, draw]).integers(0, len(pool), size)
            found = {
                name: (figure, truth[name].value)
                for name, figure in pool.evaluated(rows, resamples=arguments.resamples, seed=draw).items()
            }
            for name, (figure, value) in (found | pool.promised(rows, draw)).items():
                if math.isfinite(value):
                    held.setdefault(name, []).append(holds(figure, value))
        document[str(size)] = summed(held)
        print(size, json.dumps(document[str(size)]), file=sys.stderr, flush=True)
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?")
    made.add_argument("--router", type=Path, help="a router fitted on the same complete rows, instead of fitting one")
    made.add_argument("--sizes", default="200,500,2000")
    made.add_argument("--draws", type=int, default=200)
    made.add_argument("--start", type=int, default=0, help="the number of the first draw")
    made.add_argument("--resamples", type=int, default=500)
    return made


def router_of(arguments: argparse.Namespace) -> Router:
    """The router of the command line, fitted on the complete rows where none is given."""
    if arguments.router is not None:
        return Router.load(arguments.router)
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))
    prices = None if arguments.prices is None else PriceBook.load(arguments.prices)
    return fit(panel, prices, FitSettings(learning_curve=False))


def pool_of(router: Router) -> Pool:
    """The router's cross-fitted rows, decided along the dial once."""
    crossfit, models = router.crossfit, router.models
    quality, dollars = crossfit.observed.quality, router.observed_cost_usd()
    cost = router.cost_usd(crossfit.estimates)
    n, curve = len(quality), router.dial_curve(Dial())
    field = Field(models, router.anchors, MUS, crossfit.estimates, cost, np.ones(n))
    settings = settings_of(curve)
    everyone = np.ones(len(models), dtype=np.bool_)
    return Pool(
        models=models,
        reference=models.index(router.anchors.reference),
        ground=Ground(quality, dollars, crossfit.observed.latency_s, np.ones(n), np.arange(n, dtype=np.int64)),
        settings=settings,
        points=contend(settings, field),
        curve=swept("router", "", crossfit.estimates, cost, models, router.anchors, MUS, field.weight),
        dial_mus=curve.mu,
        dial=sweep(crossfit.estimates, cost, models, router.anchors, curve.mu, everyone),
        truth=np.stack([curve.quality, curve.cost_usd], axis=1),
    )


def taken(contender: Contender, rows: np.ndarray) -> Contender:
    """A contender on some of the rows; one rung is enough of a ladder, of which nothing is read here."""
    ladder = None if contender.ladder is None else contender.ladder[:1, rows]
    return replace(contender, choices=contender.choices[:, rows], ladder=ladder)


def holds(figure: Figure, truth: float) -> bool:
    """Whether the interval holds the truth, give or take rounding."""
    slack = 1e-9 * abs(truth)
    return not (figure.low > truth + slack or figure.high < truth - slack)


def summed(held: dict[str, list[bool]]) -> dict[str, object]:
    """Shares of draws by kind of figure: mean, least and most over operating points; and the figures shown apart."""
    kinds: dict[str, list[float]] = {}
    apart: dict[str, float] = {}
    for name, draws in held.items():
        share = float(np.mean(draws))
        kinds.setdefault(name.partition(" at ")[0], []).append(share)
        middle = (sum(draws) + 2.0) / (len(draws) + 4.0)  # Agresti and Coull: a share of 1 has an error, too
        spread = 2.0 * math.sqrt(middle * (1.0 - middle) / (len(draws) + 4.0))
        if middle + spread < ASKED[0] or middle - spread > ASKED[1]:
            apart[name] = round(100.0 * share, 1)
    of_kind = {
        kind: [round(100.0 * float(value), 1) for value in (np.mean(shares), min(shares), max(shares))]
        for kind, shares in kinds.items()
    }
    return {**of_kind, "apart": apart}


if __name__ == "__main__":
    main()
