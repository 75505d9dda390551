"""Budgets kept on replayed streams: the pacer beside the best fixed mu in hindsight.

    python runs/pacing.py OUTCOMES PRICES [--router ROUTER] [--seeds 20] [--requests 3000]

The router is fitted on all rows, and everything is decided with its out-of-fold estimates. Per seed a random half of
the rows makes the dial curve that the pacer knows; the stream is drawn from the other half. Budgets lie at 1/4, 1/2 and
3/4 between what the cheapest end of the curve costs and what its best quality costs. Streams:

- stationary: random order; bursty: in runs of one group or of one difficulty (day: arriving in ten bursts, too);
- drifting: from easy prompts to hard ones, with noise;
- price: the model with most of the spend costs ten times as much from the middle on, and the price book says so;
- unannounced: the same, but the book does not know.

`request` budgets are mean dollars per request, `day` budgets dollars of one day whose volume is not known before;
`day after` is the same on the day after a day of the same volume, at other random times. Medians over seeds of spend /
budget (and its 10 % and 90 % points), and of quality / quality of the best fixed mu that keeps the budget in
hindsight, whose share of the budget stands beside it. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import losses, mu_grid, name_order
from tenbin.router.crossfit import Crossfit, Observed, dial_curve
from tenbin.router.fit import FitSettings, fit
from tenbin.router.pacer import DAY_S, Budget, PaceCurve, Tally, paced_mu, paid
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.types import Estimates, TradeOff

MUS = mu_grid(401)
SHAPES = ("stationary", "bursty", "drifting", "price", "unannounced")
KINDS = ("request", "day", "day after")
LEVELS = (0.25, 0.5, 0.75)
DEARER = 10.0
BURSTS = 10


@dataclass(frozen=True)
class Ground:
    """All rows: what is expected and what was observed, [n, M] each, and the group of every row."""

    router: Router
    quality: np.ndarray
    cost: np.ndarray
    true_quality: np.ndarray
    true_cost: np.ndarray
    group: np.ndarray


@dataclass(frozen=True)
class Stream:
    """Requests in order: decided with `quality` and `cost`, billed at `true_cost`; `curves` by request number."""

    quality: np.ndarray
    cost: np.ndarray
    true_quality: np.ndarray
    true_cost: np.ndarray
    curves: list[tuple[int, PaceCurve]]


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))
    if arguments.router is None:
        settings = FitSettings(learning_curve=False)
        router = fit(panel, PriceBook.load(arguments.prices), settings)
    else:
        router = Router.load(arguments.router)
    ground = ground_of(router, [query.group or "" for query in panel.queries])
    document: dict[str, object] = {"data_hash": panel.data_hash, "n": len(panel), "models": list(router.models)}
    for shape in arguments.shapes.split(","):
        runs = [run(ground, shape, seed, arguments.requests) for seed in range(arguments.seeds)]
        document[shape] = {key: summed([one[key] for one in runs]) for key in runs[0]}
        print(shape, json.dumps(document[shape], indent=1), file=sys.stderr, flush=True)
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--router", type=Path, help="a router fitted on the same complete rows, instead of fitting one")
    made.add_argument("--seeds", type=int, default=20)
    made.add_argument("--requests", type=int, default=3000)
    made.add_argument("--shapes", default=",".join(SHAPES))
    return made


def ground_of(router: Router, groups: list[str]) -> Ground:
    """The out-of-fold estimates of the router's own training rows beside their outcomes."""
    crossfit = router.crossfit
    return Ground(
        router,
        crossfit.estimates.quality,
        router.cost_usd(crossfit.estimates),
        crossfit.observed.quality,
        router.observed_cost_usd(),
        np.unique(groups, return_inverse=True)[1],
    )


def run(ground: Ground, shape: str, seed: int, requests: int) -> dict[str, tuple[float, float, float]]:
    """One seed of one shape: spend / budget, quality share and best fixed mu's spend / budget of every budget."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(ground.quality))
    known, rows = order[: len(order) // 2], order[len(order) // 2 :][:requests]
    stream = streamed(ground, shape, known, arranged(ground, shape, rows, rng))
    first = stream.curves[0][1]
    found = {}
    for level in LEVELS:
        usd = float(first.cost_usd[-1] + level * (first.cost_usd[0] - first.cost_usd[-1]))
        best_quality, best_spend = in_hindsight(ground, stream, usd)
        for kind in KINDS:
            spend, quality = replay(ground, stream, kind, usd, arrivals(shape, len(rows), rng), rng)
            found[f"{kind} {level}"] = (spend / usd, quality / best_quality, best_spend / usd)
    return found


def arranged(ground: Ground, shape: str, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The rows in the order of the shape."""
    ease = ground.true_quality[rows].mean(axis=1)
    if shape == "drifting":
        return rows[np.argsort(-ease + rng.normal(0.0, 0.3, len(rows)), kind="stable")]
    if shape != "bursty":
        return rows
    kinds = ground.group[rows] if np.unique(ground.group).size > 1 else np.digitize(ease, np.quantile(ease, [0.3, 0.7]))
    blocks = [block for kind in np.unique(kinds) for block in np.array_split(rows[kinds == kind], 3)]
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])


def arrivals(shape: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """When the n requests of a day arrive, in seconds of it."""
    times = rng.uniform(0.0, DAY_S, n)
    if shape == "bursty":
        bursts = rng.choice(rng.uniform(0.0, DAY_S - 900.0, BURSTS), n) + times / 96
        times = np.where(rng.random(n) < 0.6, bursts, times)
    return np.sort(times)


def streamed(ground: Ground, shape: str, known: np.ndarray, rows: np.ndarray) -> Stream:
    """The stream of these rows, with the curve of the known rows at the prices of the moment."""
    cost, true_cost = ground.cost[rows].copy(), ground.true_cost[rows].copy()
    curves = [(0, curve_of(ground, known, np.ones(cost.shape[1])))]
    if shape in ("price", "unannounced"):
        middle = len(rows) // 2
        first = curves[0][1]
        middling = first.mu_of(float(first.cost_usd[[0, -1]].mean()))
        usual = sweep(ground, ground.quality[known], ground.cost[known]).choices(np.array([middling]))[0]
        spend = np.bincount(usual, ground.true_cost[known, usual], cost.shape[1])
        factor = np.where(np.arange(cost.shape[1]) == spend.argmax(), DEARER, 1.0)
        true_cost[middle:] *= factor
        if shape == "price":
            cost[middle:] *= factor
            curves.append((middle, curve_of(ground, known, factor)))
    return Stream(ground.quality[rows], cost, ground.true_quality[rows], true_cost, curves)


def sweep(ground: Ground, quality: np.ndarray, cost: np.ndarray) -> Sweep:
    """What decides these rows at any mu."""
    router = ground.router
    every = np.ones(len(router.models), dtype=bool)
    seconds = np.full(cost.shape, np.nan)
    return Sweep(quality, cost, seconds, TradeOff(0.0), router.anchors, name_order(router.models), every)


def curve_of(ground: Ground, rows: np.ndarray, factor: np.ndarray) -> PaceCurve:
    """The dial curve of some rows, every model's dollars times its factor."""
    whole = ground.router.crossfit
    taken = {n: None if (v := getattr(whole.estimates, n)) is None else v[rows] for n in Estimates.__slots__}
    observed = Observed(**{n: getattr(whole.observed, n)[rows] for n in Observed.__slots__})
    router = ground.router
    return PaceCurve.of(
        dial_curve(
            Crossfit(Estimates(**taken), observed),
            ground.cost[rows] * factor,
            ground.true_cost[rows] * factor,
            router.models,
            router.anchors,
            TradeOff(0.0),
            np.ones(len(router.models), dtype=bool),
        )
    )


def in_hindsight(ground: Ground, stream: Stream, usd: float) -> tuple[float, float]:
    """Mean quality and dollars of the best fixed mu that keeps the budget; the cheapest where none does."""
    choices = sweep(ground, stream.quality, stream.cost).choices(MUS)
    here = np.arange(len(stream.cost))
    quality, cost = (table[here, choices].mean(axis=1) for table in (stream.true_quality, stream.true_cost))
    best = int(np.argmax(np.where(cost <= usd, quality, -1.0))) if (cost <= usd).any() else int(np.argmin(cost))
    return float(quality[best]), float(cost[best])


def replay(
    ground: Ground, stream: Stream, kind: str, usd: float, times: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Mean dollars and quality of the stream as it is paced."""
    n = len(stream.cost)
    budget = Budget(request_usd=usd) if kind == "request" else Budget(day_usd=usd * n)
    tally = Tally(before=tuple(np.histogram(rng.uniform(0, 24, n), 24, (0, 24))[0])) if kind == "day after" else Tally()
    curves = dict(stream.curves)
    curve = curves[0]
    spent = quality = 0.0
    for i, at in enumerate(times.tolist()):
        curve = curves.get(i, curve)
        mu = paced_mu(tally, budget, curve, at)
        loss = losses(stream.quality[i], stream.cost[i], stream.cost[i], TradeOff(mu), ground.router.anchors)
        chosen = int(loss.argmin())
        bill = float(stream.true_cost[i, chosen])
        tally = paid(tally, budget, cost_usd=bill, expected_usd=curve.cost_of(mu), is_request=True, now=at)
        spent += bill
        quality += float(stream.true_quality[i, chosen])
    return spent / n, quality / n


def summed(found: list[tuple[float, float, float]]) -> dict[str, object]:
    """Medians over seeds."""
    spend, quality, best = np.array(found).T
    return {
        "spend / budget": round(float(np.median(spend)), 4),
        "spend 10 % and 90 %": np.quantile(spend, [0.1, 0.9]).round(4).tolist(),
        "quality / best fixed": round(float(np.median(quality)), 4),
        "best fixed / budget": round(float(np.median(best)), 4),
    }


if __name__ == "__main__":
    main()
