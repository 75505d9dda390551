"""How often certificates break their promise, and what they save beside other ways of proving it.

    python runs/certificates.py OUTCOMES [PRICES] --resamples 500

One fit on all complete rows gives out-of-fold estimates of each. Half of the rows are the training: they alone settle
the path and the stakes. Calibration samples are drawn with replacement from the other half, whose mean is the truth;
then the halves change places. A certificate is broken where the truth of its setting is below what it promises.
All methods walk the same path and stop at the first setting that they cannot prove.

"alone" is the share of samples that prove the first false setting of the path if it is tested alone: a method that is
valid keeps this at 5 % whatever path stands before it. "quality held" and "saving held" are the shares of certificates
whose printed 95 % intervals hold the truth of their setting. "hard nulls" are made values whose mean is just 0, with
rare great losses: what a router that fails seldom but badly brings. They tell which method is valid on other sets, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tenbin.certify.observed import observed_quality, observed_saving
from tenbin.certify.pairs import Pairs, advantages
from tenbin.certify.path import decide, draw_path
from tenbin.certify.sequence import bets_like
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.crossfit import Crossfit
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import TradeOff

ALPHA = 0.05
NORMAL_95 = 1.6448536269514722
SHARES = (0.9, 0.95, 0.98)
SIZES = (200, 500, 1000, 2000)
AT_ONCE = 125

Test = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path, nargs="?")
    made.add_argument("--resamples", type=int, default=500)
    made.add_argument("--seed", type=int, default=0)
    arguments = made.parse_args()
    panel = read_outcomes(arguments.outcomes)
    complete = ~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1)
    panel = replace(panel.take(complete), split=None)
    prices = None if arguments.prices is None else PriceBook.load(arguments.prices)
    router = fit(panel, prices, FitSettings(learning_curve=False, seed=arguments.seed))
    draw = np.random.default_rng(arguments.seed)
    halves = np.array_split(draw.permutation(len(panel)), 2)
    cells = []
    for share in SHARES:
        pools = [Pool(router, halves[k], halves[1 - k], share) for k in (0, 1)]
        for n in SIZES:
            cells.append({"share": share, "n": n, **measured(pools, n, arguments.resamples // 2, draw)})
            print(line(cells[-1]), file=sys.stderr, flush=True)
    nulls = [{"loss": loss, "n": n, **hard_null(loss, n, draw)} for loss in (0.02, 0.05) for n in SIZES]
    json.dump({"data": panel.data_hash, "rows": len(panel), "cells": cells, "hard nulls": nulls}, sys.stdout, indent=1)
    print()


class Pool:
    """One half of the rows to draw from, the path that the other half settled, and the truth at every setting."""

    def __init__(self, router: Router, training: np.ndarray, rows: np.ndarray, share: float) -> None:
        reference = router.models.index(router.manifest.reference)
        everyone = np.ones(len(router.models), dtype=np.bool_)
        self.share = share
        path = draw_path(router, router.crossfit.take(training), TradeOff(0.0), everyone)
        self.training = advantages(path.ground.observed, path.chosen, reference, share)
        ground: Crossfit = router.crossfit.take(rows)
        mus = np.array([each.mu for each in path.trade_offs])
        chosen = decide(router, ground, path.trade_offs[0], everyone, mus)
        self.values = advantages(ground.observed, chosen, reference, share)
        dollars = router.observed_cost_usd(ground.observed)
        spent = np.take_along_axis(dollars, chosen.T, axis=1)
        # Setting 0, the reference itself, saves nothing and keeps its promise.
        self.saving = np.concatenate([[0.0], 1.0 - spent.mean(axis=0) / dollars[:, reference].mean()])
        self.truth = np.concatenate([[1.0], self.values.mean(axis=0)])
        usual = ground.observed.quality[:, [reference]]
        self.quality = share + self.values.mean(axis=0) / usual.mean()
        alone = (1.0 - share) * usual, dollars[:, [reference]]
        self.pairs = Pairs(
            values=np.hstack([alone[0], self.values]),
            usual_quality=np.broadcast_to(usual, (len(usual), len(mus) + 1)),
            dollars=np.hstack([alone[1], spent]),
            usual_dollars=np.broadcast_to(alone[1], (len(usual), len(mus) + 1)),
            weight=np.ones((len(usual), len(mus) + 1)),
            groups=(),
            largest_weight=1.0,
        )

    def held(self, rows: np.ndarray, step: int) -> tuple[bool, bool]:
        """Whether the intervals of quality and saving that a certificate on these rows prints hold the truth."""
        cells = ("values", "usual_quality", "dollars", "usual_dollars", "weight")
        pairs = replace(self.pairs, **{name: getattr(self.pairs, name)[rows] for name in cells})
        quality, saving = observed_quality(pairs, step, self.share), observed_saving(pairs, step)
        holds = quality.low <= self.quality[step - 1] <= quality.high, saving.low <= self.saving[step] <= saving.high
        return bool(holds[0]), bool(holds[1])


def tests_of(pool: Pool | SimpleNamespace, n: int) -> Mapping[str, Test]:
    """Every method as a function from samples [n, R, K] to what it proves [R, K]."""
    bets = bets_like(pool.training, np.zeros((n, pool.values.shape[1])), pool.share)
    width = 1.0 + pool.share
    return {
        "betting": partial(bets.reach, level=ALPHA),
        "hoeffding": lambda x: x.mean(axis=0) > width * np.sqrt(np.log(1.0 / ALPHA) / (2.0 * n)),
        "bernstein": lambda x: x.mean(axis=0) > bernstein(x.std(axis=0, ddof=1), width, n),
        "clt": lambda x: x.mean(axis=0) > NORMAL_95 * x.std(axis=0, ddof=1) / np.sqrt(n),
    }


def bernstein(spread: np.ndarray, width: float, n: int) -> np.ndarray:
    """The empirical Bernstein bound (Maurer and Pontil, arXiv 0907.3740, theorem 4)."""
    wanted = np.log(2.0 / ALPHA)
    return spread * np.sqrt(2.0 * wanted / n) + 7.0 * width * wanted / (3.0 * (n - 1))


def measured(pools: list[Pool], n: int, resamples: int, draw: np.random.Generator) -> dict[str, dict[str, float]]:
    """Violations, savings and the first false setting tested alone, by method, over both halves."""
    found: dict[str, list[np.ndarray]] = {}
    held: list[tuple[bool, bool]] = []
    for pool in pools:
        tests = tests_of(pool, n)
        false = np.flatnonzero(pool.truth[1:] < 0.0)
        for start in range(0, resamples, AT_ONCE):
            size = min(AT_ONCE, resamples - start)
            rows = draw.integers(0, len(pool.values), (n, size))
            sample = pool.values[rows]
            for name, test in tests.items():
                proved = test(sample)
                steps = np.cumprod(proved, axis=1).sum(axis=1)
                alone = proved[:, false[0]] if false.size else np.zeros(size)
                found.setdefault(name, []).append(np.stack([pool.truth[steps] < 0.0, pool.saving[steps], alone]))
                if name == "betting":
                    held += [pool.held(rows[:, k], step) for k, step in enumerate(steps.tolist()) if step]
    table = {name: np.concatenate(parts, axis=1) for name, parts in found.items()}
    shares = np.mean(held, axis=0).tolist() if held else [np.nan, np.nan]
    return {
        "intervals": {"certificates": len(held), "quality held": shares[0], "saving held": shares[1]},
        **{
            name: {
                "broken": float(rows[0].mean()),
                "saving": float(rows[1].mean()),
                "saving_se": float(rows[1].std() / np.sqrt(rows.shape[1])),
                "certifies": float((rows[1] > 0.0).mean()),
                "alone": float(rows[2].mean()),
            }
            for name, rows in table.items()
        },
    }


def hard_null(loss: float, n: int, draw: np.random.Generator) -> dict[str, float]:
    """How often each method proves that a mean of 0 is above it: a great loss with chance `loss`, else a small gain."""
    share = 1.0 - loss
    values, chances = np.array([-share, loss]), np.array([loss, share])
    pool = SimpleNamespace(share=share, values=values[:, None], training=draw.choice(values, (2000, 1), p=chances))
    sample = draw.choice(values, (n, 4000, 1), p=chances)
    return {name: float(test(sample).mean()) for name, test in tests_of(pool, n).items()}


def line(cell: Mapping[str, object]) -> str:
    """One cell as a line of the log."""
    methods = {name: found for name, found in cell.items() if isinstance(found, dict) and name != "intervals"}
    parts = [f"{k} {f['saving']:.3f} ({f['broken']:.3f}, alone {f['alone']:.3f})" for k, f in methods.items()]
    return f"{cell['share']} {cell['n']}: {'; '.join(parts)}; {cell['intervals']}"


if __name__ == "__main__":
    main()
