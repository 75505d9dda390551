"""How often the printed intervals cover: evaluation sets drawn from a pool whose truth is known.

    python runs/coverage.py OUTCOMES [PRICES] [--router ROUTER] [--sizes 200,500,2000] [--draws 200] [--resamples 500]

The router is fitted on all rows; its out-of-fold estimates and the outcomes are the pool, and figures over the whole
pool are the truth. Per draw an evaluation set is drawn from it with replacement, and `evaluate`'s intervals are made
of that: those of the operating points, of the single models, of what is read off a hull (savings, gains over the zero
routers z_test and z_train), of the report's slider, of the payback and of the verdict's single model. The training
prompts, which tell how widely dollars vary and choose the verdict's model, are as many others of the pool, drawn apart:
all of it would be the truth itself, and most routers have more. "promised ..." are the intervals of `fit`, `router
show` and `route`: the drawn rows are the training rows, the dials are turned on them too, and the truth is what the
pool gives at the mu that came out.
Prints one JSON document: by kind of figure the share of draws, in per cent, whose 95 % interval holds the truth (an end
that is not known holds everything on its side): mean, least and most over the kind's figures. A draw counts where it
shows the figure; "shown" has those that less than all draws show, with the share of draws. `--start` takes other draws,
to choose on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.baselines import Arena, zero_vertices
from tenbin.evaluate.comparison import (
    ZERO_TEST,
    ZERO_TRAIN,
    curve_of,
    difference_of,
    savings_of,
    singles_of,
    summary_of,
)
from tenbin.evaluate.curve import PLAIN, Contender, constant, swept
from tenbin.evaluate.evidence import cheap_and_good
from tenbin.evaluate.metrics import RATIOS, cost_share, curve_hull, scale_of
from tenbin.evaluate.operating_points import Setting, contend, operating_points, settings_of
from tenbin.evaluate.payback import payback_of
from tenbin.evaluate.promise import promised
from tenbin.evaluate.prospects import Prospects
from tenbin.evaluate.result import ROUTER
from tenbin.evaluate.training import Training
from tenbin.evaluate.trial import POINTS, SINGLES, Ground, Trial, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.types import Figure

MUS = mu_grid(61)
ASKED = 0.92, 0.98
AT_A_POINT = ("quality", "cost_usd", "quality_ratio", "saving", "blind_saving")
ON_THE_DIAL = AT_A_POINT[:4]
APART = ("aiq", "aiq_log", "peak_quality")
ALONE = ("aiq", "aiq_log", "peak_quality", "apgr")
PAID_BACK = 0.99
LEAST_SHOWN = 50
"""Figures that fewer draws show are named, without a share: it would be known to 3 points and more."""

Told = dict[str, tuple[Figure, float]]
"""Figures by name, each with the truth."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """An evaluation set: its outcomes, the contenders on its rows, what they did there, and other rows for training.

    `trained` [2, M] are each model's mean quality and dollars in training.
    """

    ground: Ground
    arena: Arena
    curve: Contender
    points: Contender
    trial: Trial
    training: Training
    trained: np.ndarray


@dataclass(frozen=True, slots=True)
class Pool:
    """All rows of a router as its out-of-fold estimates decide them: a decision does not depend on the other rows.

    `dial` [D, n] are the choices at `dial_mus`, on which promises turn; `truth` [D, 2] mean quality and dollars there,
    `slider` [len(MUS), 2] those at the settings of `curve`.
    """

    models: tuple[str, ...]
    reference: int
    ground: Ground
    arena: Arena
    settings: tuple[Setting, ...]
    points: Contender
    curve: Contender
    zeros: tuple[Contender, ...]
    slider: np.ndarray
    dial_mus: np.ndarray
    dial: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.ground.weight)

    def ground_of(self, rows: np.ndarray) -> Ground:
        """The outcomes of some rows, each a query of its own."""
        parts = {name: getattr(self.ground, name)[rows] for name in ("quality", "cost_usd", "latency_s", "weight")}
        return Ground(**parts, cluster=np.arange(len(rows), dtype=np.int64))

    def arena_of(self, rows: np.ndarray) -> Arena:
        """What the router expects of some rows."""
        arena = self.arena
        return replace(
            arena, estimates=arena.estimates.take(rows), cost_usd=arena.cost_usd[rows], weight=arena.weight[rows]
        )

    def training_of(self, rows: np.ndarray) -> Training:
        """Some rows as those that the router was trained on."""
        arena, everyone = self.arena_of(rows), np.ones(len(self.models), dtype=np.bool_)
        sweep = Sweep.of(arena.estimates, arena.cost_usd, self.models, arena.anchors, PLAIN, everyone)
        return Training(sweep, self.ground.cost_usd[rows], self.ground.weight[rows], self.reference)

    def drawn(self, rows: np.ndarray, trained: np.ndarray, *, resamples: int, seed: int) -> Drawn:
        """The evaluation set of these rows, for a router that was trained on others."""
        ground = self.ground_of(rows)
        curve, points, *zeros = (taken(contender, rows) for contender in (self.curve, self.points, *self.zeros))
        trial = run_trial(ground, (curve, *zeros), points, resamples=resamples, seed=seed, tick=lambda _: None)
        means = np.stack([values[trained].mean(axis=0) for values in (self.ground.quality, self.ground.cost_usd)])
        return Drawn(ground, self.arena_of(rows), curve, points, trial, self.training_of(trained), means)

    def evaluated(self, drawn: Drawn) -> dict[str, Figure]:
        """The figures that are the same kind of thing on every set: their truth is what the pool gives."""
        trial = drawn.trial
        found: dict[str, Figure] = {}
        points = operating_points(trial, self.settings, drawn.points, drawn.ground, drawn.arena, drawn.training)
        for point in points:
            found |= {f"{name} at {point.kind} {point.target:g}": getattr(point, name) for name in AT_A_POINT}
        for single in singles_of(trial, self.models, np.ones(len(self.models))):
            found |= {f"a model's {name} at {single.model}": getattr(single, name) for name in ON_THE_DIAL[:2]}
        for zero in (ZERO_TEST, ZERO_TRAIN):
            difference = difference_of(trial, zero)
            found |= {f"gain in {name} at {zero}": getattr(difference, name) for name in APART}
        summary = summary_of(trial, ROUTER)
        found |= {f"router's {name}": getattr(summary, name) for name in ALONE}
        wanted = [point.kind == "min_quality" and point.target == PAID_BACK for point in points].index(True)
        spent = trial.means.of(f"{POINTS} cost")[:, wanted], trial.means.of(f"{SINGLES} cost")[:, self.reference]
        payback = payback_of(1.0, PAID_BACK, *spent)
        return found | {"saved_usd": payback.saving_usd, "payback": payback.queries}

    def along_the_dial(self, drawn: Drawn) -> Told:
        """The figures of the report's slider, against the reference."""
        found: Told = {}
        arena, curve, reference = drawn.arena, drawn.curve, self.reference
        quality, cost = (values[:, reference].mean() for values in (self.ground.quality, self.ground.cost_usd))
        turned = arena.anchors, curve.mus, curve.choices, reference
        prospects = Prospects.along(arena.estimates, arena.cost_usd, *turned)
        tails = drawn.training.tails(curve.mus, drawn.ground.variance_share)
        dial = curve_of(drawn.trial, curve, drawn.ground, reference, prospects, tails).points
        for point, own in zip(dial, self.slider, strict=True):
            for name, value in zip(ON_THE_DIAL, (*own, own[0] / quality, 1.0 - own[1] / cost), strict=True):
                found[f"slider's {name} at {point.mu:.4g}"] = (getattr(point, name), float(value))
        return found

    def against_best(self, drawn: Drawn) -> Told:
        """The figures against the model that is best on the drawn prompts; the truth is against that model."""
        best = drawn.trial.scales[0].best
        found: Told = {}
        cost = self.ground.cost_usd.mean(axis=0)
        for saving, share, zero in zip(savings_of(drawn.trial), *self.cost_shares(best), strict=True):
            at = f"at {saving.ratio:.0%}"
            found[f"hull saving {at}"] = (saving.saving, 1.0 - share)
            found[f"hull cost_usd {at}"] = (saving.cost_usd, float(share * cost[best]))
            if saving.ratio < 1.0:  # at 1 it is 0 by definition, and no estimate
                found[f"zero router's saving {at}"] = (saving.zero_saving, 1.0 - zero)
        gap = difference_of(drawn.trial, ZERO_TEST)
        for name, ratio in (("qnc", 1.0), ("cost_at_97", 0.97)):
            share, zero = (shares[RATIOS.index(ratio)] for shares in self.cost_shares(best))
            found[f"gain in {name}"] = (getattr(gap, name), share - zero)
        return found

    def one_model(self, drawn: Drawn) -> Told:
        """The figures of the verdict's single model, where it is another one than the reference."""
        single = cheap_and_good(drawn.trial, self.models, self.reference, *drawn.trained)
        at = [self.models.index(single.model), self.reference]
        if single.model == self.models[self.reference]:
            return {}
        quality, cost = (values[:, at].mean(axis=0) for values in (self.ground.quality, self.ground.cost_usd))
        return {
            "verdict's model's quality_ratio": (single.quality_ratio, float(quality[0] / quality[1])),
            "verdict's model's saving": (single.saving, float(1.0 - cost[0] / cost[1])),
        }

    def cost_shares(self, best: int) -> tuple[list[float], list[float]]:
        """Least cost at every ratio of one model's quality, as a share of its cost: the router's, the zero router's."""
        scale = replace(scale_of(self.ground.quality.mean(axis=0), self.ground.cost_usd.mean(axis=0)), best=best)
        hull = curve_hull(self.slider[:, 1].tolist(), self.slider[:, 0].tolist(), scale)
        own, zero = ([cost_share(each, ratio, scale) for ratio in RATIOS] for each in (hull, scale.zero))
        return own, zero

    def promised(self, rows: np.ndarray, seed: int) -> Told:
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
        arena, choices = self.arena_of(rows), self.dial[where][:, rows]
        turned = arena.anchors, self.dial_mus[where], choices, self.reference
        prospects = Prospects.along(arena.estimates, arena.cost_usd, *turned)
        promises = promised(ground, choices, self.reference, prospects, seed=seed)
        for setting, k, promise in zip(set_to, where, promises, strict=True):
            true_quality, true_cost = self.truth[k]
            true = (true_quality, true_cost, true_quality / whole[0], 1.0 - true_cost / whole[1])
            for name, value in zip(AT_A_POINT, true, strict=False):
                found[f"promised {name} at {setting.target:g}"] = (getattr(promise, name), float(value))
        return found


def main() -> None:
    arguments = parser().parse_args()
    pool = pool_of(router_of(arguments))
    everything = np.arange(len(pool))
    truth = pool.evaluated(pool.drawn(everything, everything, resamples=2, seed=0))
    document: dict[str, object] = {"pool": len(pool), "draws": arguments.draws, "resamples": arguments.resamples}
    for size in map(int, arguments.sizes.split(",")):
        held: dict[str, list[bool | None]] = {}
        for draw in range(arguments.start, arguments.start + arguments.draws):
            rows = np.random.default_rng([size, draw]).integers(0, len(pool), size)
            trained = np.random.default_rng([size, draw, 1]).integers(0, len(pool), size)
            drawn = pool.drawn(rows, trained, resamples=arguments.resamples, seed=draw)
            told = {name: (figure, truth[name].value) for name, figure in pool.evaluated(drawn).items()}
            told |= pool.along_the_dial(drawn) | pool.against_best(drawn) | pool.one_model(drawn)
            told |= pool.promised(rows, draw)
            for name, (figure, value) in told.items():
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
    arena = Arena(models, router.anchors, MUS, crossfit.estimates, cost, np.ones(n))
    settings = settings_of(curve)
    everyone = np.ones(len(models), dtype=np.bool_)
    slider = swept(ROUTER, "", crossfit.estimates, cost, models, router.anchors, MUS, arena.weight)
    return Pool(
        models=models,
        reference=models.index(router.anchors.reference),
        ground=Ground(quality, dollars, crossfit.observed.latency_s, np.ones(n), np.arange(n, dtype=np.int64)),
        arena=arena,
        settings=settings,
        points=contend(settings, arena),
        curve=slider,
        zeros=(
            constant(ZERO_TEST, "", np.arange(len(models)), models, n, deployable=True),
            constant(
                ZERO_TRAIN, "", zero_vertices(quality.mean(axis=0), dollars.mean(axis=0)), models, n, deployable=True
            ),
        ),
        slider=np.array([[v[np.arange(n), c].mean() for v in (quality, dollars)] for c in slider.choices]),
        dial_mus=curve.mu,
        dial=Sweep.of(crossfit.estimates, cost, models, router.anchors, PLAIN, everyone).choices(curve.mu),
        truth=np.stack([curve.quality, curve.cost_usd], axis=1),
    )


def taken(contender: Contender, rows: np.ndarray) -> Contender:
    """A contender on some of the rows."""
    ladder = None if contender.ladder is None else contender.ladder[:, rows]
    return replace(contender, choices=contender.choices[:, rows], ladder=ladder)


def holds(figure: Figure, truth: float) -> bool | None:
    """Whether the interval holds the truth, give or take rounding; None where the figure is not shown."""
    if not math.isfinite(figure.value):
        return None
    slack = 1e-9 * abs(truth)
    return not (figure.low > truth + slack or figure.high < truth - slack)


def summed(held: dict[str, list[bool | None]]) -> dict[str, object]:
    """Shares of draws by kind of figure: mean, least and most over its figures; and the figures shown apart."""
    kinds: dict[str, list[float]] = {}
    apart: dict[str, float] = {}
    seldom: dict[str, float] = {}
    for name, draws in held.items():
        shown = [it for it in draws if it is not None]
        if len(shown) < len(draws):
            seldom[name] = round(100.0 * len(shown) / len(draws), 1)
        if len(shown) < LEAST_SHOWN:
            continue
        share = float(np.mean(shown))
        kinds.setdefault(name.partition(" at ")[0], []).append(share)
        middle = (sum(shown) + 2.0) / (len(shown) + 4.0)  # Agresti and Coull: a share of 1 has an error, too
        spread = 2.0 * math.sqrt(middle * (1.0 - middle) / (len(shown) + 4.0))
        if middle + spread < ASKED[0] or middle - spread > ASKED[1]:
            apart[name] = round(100.0 * share, 1)
    of_kind = {
        kind: [round(100.0 * float(value), 1) for value in (np.mean(shares), min(shares), max(shares))]
        for kind, shares in kinds.items()
    }
    return {**of_kind, "apart": apart, "shown": seldom}


if __name__ == "__main__":
    main()
