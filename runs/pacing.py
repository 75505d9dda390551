"""Budgets kept on replayed streams: the pacer beside the best fixed mu in hindsight.

    python runs/pacing.py OUTCOMES [PRICES] [--router ROUTER] [--seeds 20] [--requests 3000] [--under-way 0]

The router is fitted on all rows, and everything is decided with its out-of-fold estimates. Per seed a random half of
the rows makes the dial curve that the pacer knows; the stream is drawn from the other half. Budgets lie at 1/4, 1/2 and
3/4 between what the cheapest end of the curve costs and what its best quality costs. Streams:

- stationary: random order; bursty: in runs of one group or of one difficulty (day: arriving in ten bursts, too);
- drifting: from easy prompts to hard ones, with noise;
- price: the model with most of the spend costs ten times as much from the middle on, and the price book says so;
- unannounced: the same, but the book does not know.

`request` budgets are mean dollars per request, `day` budgets dollars of one day whose volume is not known before;
`day after` is the same on the day after a day of the same volume and kind, with other random times. Medians over seeds
of spend / budget (and its 10 % and 90 % points), of its distance from 1, and of quality / quality of the best fixed mu
that keeps the budget in hindsight. Beside them stand the share of the budget that this mu uses, and the most that
anybody can use between the ends of the dial who is never over, or never more than 2 % over from the hundredth request
on: when cheap prompts come last, money is left that could only have been spent before, on trust. Prints one JSON
document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tenbin.evaluate.curve import PLAIN
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import losses, mu_grid
from tenbin.router.crossfit import DIAL_POINTS, DialCurve
from tenbin.router.fit import FitSettings, fit
from tenbin.router.pacer import HOURS, Budget, PaceCurve, Tally, paced_mu, paid, promised
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.store.period import DAY_S
from tenbin.types import Estimates, TradeOff

MUS = mu_grid(DIAL_POINTS)
SHAPES = ("stationary", "bursty", "drifting", "price", "unannounced")
KINDS = ("request", "day", "day after")
LEVELS = (0.25, 0.5, 0.75)
DEARER = 10.0
BURSTS = 10
NEAR, FROM_REQUEST = 0.02, 100.0


@dataclass(frozen=True)
class Swept:
    """What every mu decides on all rows, and what that brings at some prices: choice, quality and dollars [K, n]."""

    choice: np.ndarray
    quality: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class Ground:
    """All rows: what is expected and what was observed, [n, M] each, and the group of every row.

    `swept` remembers the sweeps by the model that costs ten times as much (-1: none).
    """

    router: Router
    quality: np.ndarray
    cost: np.ndarray
    true_quality: np.ndarray
    true_cost: np.ndarray
    group: np.ndarray
    swept: dict[int, Swept] = field(default_factory=dict)

    def factor(self, model: int) -> np.ndarray:
        """By what every model's dollars are multiplied when that one gets dearer."""
        return np.where(np.arange(self.cost.shape[1]) == model, DEARER, 1.0)

    def sweep(self, model: int) -> Swept:
        """The whole dial, at prices of which that model's is ten times as high."""
        if model not in self.swept:
            router, factor = self.router, self.factor(model)
            every, estimates = np.ones(len(router.models), dtype=bool), Estimates.of_quality(self.quality)
            choice = Sweep.of(estimates, self.cost * factor, router.models, router.anchors, PLAIN, every).choices(MUS)
            here = np.arange(len(self.cost))
            self.swept[model] = Swept(
                choice,
                self.true_quality[here, choice].astype(np.float32),
                (self.true_cost * factor)[here, choice].astype(np.float32),
            )
        return self.swept[model]

    def curve(self, rows: np.ndarray, model: int) -> PaceCurve:
        """The dial curve of some rows, at prices of which that model's is ten times as high."""
        swept = self.sweep(model)
        quality, cost = (table[:, rows].mean(axis=1, dtype=np.float64) for table in (swept.quality, swept.cost))
        return PaceCurve.of(DialCurve(MUS, quality, cost, np.nan, np.nan))


@dataclass(frozen=True)
class Stream:
    """Requests in order: decided with `quality` and `cost`, billed at `true_cost`; `curves` by request number.

    `dial_quality` and `dial_cost` [K, n] are what every fixed mu would have brought.
    """

    quality: np.ndarray
    cost: np.ndarray
    true_quality: np.ndarray
    true_cost: np.ndarray
    curves: dict[int, PaceCurve]
    dial_quality: np.ndarray
    dial_cost: np.ndarray


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1))
    if arguments.router is None:
        settings = FitSettings(learning_curve=False)
        router = fit(panel, PriceBook.load(arguments.prices) if arguments.prices else None, settings)
    else:
        router = Router.load(arguments.router)
    ground = ground_of(router, [query.group or "" for query in panel.queries])
    document: dict[str, object] = {"data_hash": panel.data_hash, "n": len(panel), "models": list(router.models)}
    for shape in arguments.shapes.split(","):
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        runs = [run(ground, shape, seed, arguments.requests, arguments.under_way) for seed in seeds]
        document[shape] = {key: summed([one[key] for one in runs]) for key in runs[0]}
        print(shape, json.dumps(document[shape], indent=1), file=sys.stderr, flush=True)
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?", help="not needed where dollars are recorded")
    made.add_argument("--router", type=Path, help="a router fitted on the same complete rows, instead of fitting one")
    made.add_argument("--seeds", type=int, default=20)
    made.add_argument("--first-seed", type=int, default=0)
    made.add_argument("--requests", type=int, default=3000)
    made.add_argument("--under-way", type=int, default=0, help="a bill comes when so many later calls were decided")
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


def run(ground: Ground, shape: str, seed: int, requests: int, under_way: int) -> dict[str, tuple[float, ...]]:
    """One seed of one shape: spend / budget, quality share, the best fixed mu's spend and the most, of every budget."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(ground.quality))
    known, rows = order[: len(order) // 2], order[len(order) // 2 :][:requests]
    stream = streamed(ground, shape, known, arranged(ground, shape, rows, rng))
    first = stream.curves[0]
    found = {}
    for level in LEVELS:
        usd = float(first.cost_usd[-1] + level * (first.cost_usd[0] - first.cost_usd[-1]))
        best_quality, best_spend = in_hindsight(stream, usd)
        most = [most_usd(stream, usd, over) / usd for over in (0.0, NEAR)]
        for kind in KINDS:
            times, before = arrivals(shape, len(rows), rng), arrivals(shape, len(rows), rng)
            hours = np.histogram(before, HOURS, (0, DAY_S))[0].astype(float)
            tally = Tally(before=tuple(hours.tolist())) if kind == "day after" else Tally()
            budget = Budget(request_usd=usd) if kind == "request" else Budget(day_usd=usd * len(rows))
            spend, quality = replay(ground, stream, budget, tally, times, under_way)
            found[f"{kind} {level}"] = (spend / usd, quality / best_quality, best_spend / usd, *most)
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
    usual = ground.sweep(-1)
    cost, true_cost = ground.cost[rows].copy(), ground.true_cost[rows].copy()
    curves = {0: ground.curve(known, -1)}
    dial_quality, dial_cost = usual.quality[:, rows], usual.cost[:, rows]
    if shape in ("price", "unannounced"):
        model, middle = dearest(ground, known, curves[0]), len(rows) // 2
        factor, late = ground.factor(model), rows[middle:]
        true_cost[middle:] *= factor
        if shape == "price":
            cost[middle:] *= factor
            curves[middle] = ground.curve(known, model)
            swept = ground.sweep(model)
            dial_quality[:, middle:], dial_cost[:, middle:] = swept.quality[:, late], swept.cost[:, late]
        else:
            dial_cost[:, middle:] *= factor[usual.choice[:, late]]
    return Stream(ground.quality[rows], cost, ground.true_quality[rows], true_cost, curves, dial_quality, dial_cost)


def dearest(ground: Ground, known: np.ndarray, curve: PaceCurve) -> int:
    """The model with most of the spend in the middle of the dial."""
    middling = np.searchsorted(MUS, curve.mu_of(float(curve.cost_usd[[0, -1]].mean())))
    choice = ground.sweep(-1).choice[middling, known]
    return int(np.bincount(choice, ground.true_cost[known, choice], ground.cost.shape[1]).argmax())


def in_hindsight(stream: Stream, usd: float) -> tuple[float, float]:
    """Mean quality and dollars of the best fixed mu that keeps the budget; the cheapest where none does."""
    quality, cost = (table.mean(axis=1, dtype=np.float64) for table in (stream.dial_quality, stream.dial_cost))
    best = int(np.argmax(np.where(cost <= usd, quality, -1.0))) if (cost <= usd).any() else int(np.argmin(cost))
    return float(quality[best]), float(cost[best])


def most_usd(stream: Stream, usd: float, over: float) -> float:
    """The most mean dollars that can be spent between the ends of the dial, never over by more than that share."""
    least = int(np.searchsorted(MUS, stream.curves[0].mu[0]))
    spent = 0.0
    for n, cost in enumerate(stream.dial_cost[least:].max(axis=0).tolist(), 1):
        spent = min(spent + cost, usd * (n + over * max(n, FROM_REQUEST)))
    return spent / stream.dial_cost.shape[1]


def replay(
    ground: Ground, stream: Stream, budget: Budget, tally: Tally, times: np.ndarray, under_way: int
) -> tuple[float, float]:
    """Mean dollars and quality of the stream as it is paced."""
    curve, waiting = stream.curves[0], deque[tuple[float, float, float]]()
    spent = quality = expected = 0.0
    for i, now in enumerate(times.tolist()):
        curve = stream.curves.get(i, curve)
        mu = paced_mu(promised(tally, budget, expected_usd=expected, calls=len(waiting), now=now), budget, curve, now)
        loss = losses(stream.quality[i], stream.cost[i], stream.cost[i], TradeOff(mu), ground.router.anchors)
        chosen = int(loss.argmin())
        spent += float(stream.true_cost[i, chosen])
        quality += float(stream.true_quality[i, chosen])
        waiting.append((float(stream.true_cost[i, chosen]), float(stream.cost[i, chosen]), curve.cost_of(mu)))
        expected += waiting[-1][1]
        if len(waiting) > under_way:
            bill, foreseen, usual = waiting.popleft()
            expected -= foreseen
            tally = paid(tally, budget, cost_usd=bill, weighed=(foreseen, usual), now=now)
    return spent / len(times), quality / len(times)


def summed(found: list[tuple[float, ...]]) -> dict[str, object]:
    """Medians over seeds."""
    spend, quality, best, never_over, most = np.array(found).T
    return {
        "spend / budget": round(float(np.median(spend)), 4),
        "spend 10 % and 90 %": np.quantile(spend, [0.1, 0.9]).round(4).tolist(),
        "off by": round(float(np.median(np.abs(spend - 1.0))), 4),
        "quality / best fixed": round(float(np.median(quality)), 4),
        "best fixed / budget": round(float(np.median(best)), 4),
        "most, never over": round(float(np.median(never_over)), 4),
        "most, never 2 % over": round(float(np.median(most)), 4),
        "seeds where that is below .98": int((most < 1.0 - NEAR).sum()),
    }


if __name__ == "__main__":
    main()
