"""What a pilot buys for its dollars: the planner beside random full rows and round-robin, outcomes hidden until bought.

    python runs/pilot_replay.py OUTCOMES PRICES [--seeds 10] [--first-seed 0] [--promise 0.97] [--test-rows 2400]

Per seed the complete rows are split by lot into a pool and held-out rows. Each way of buying spends the same dollars on
labels of the pool; a router is fitted on what was bought (without group labels) and measured on the held-out rows:
least cost of its curve's hull at 97 % of the best single model's quality, as a share of that model's cost (1 where it
is never reached). Dollars are shares of what 1,000 random full rows cost. The planner is `plan_stage`, the code of
`tenbin pilot plan`, stage after stage; what it plans is bought from a fake upstream by the code of `tenbin pilot run`
(`hidden_outcomes`), and it knows no more than the journal says. Texts that stand in the pool twice count once. Hold-out
labels, which every way needs alike and buys uniformly, are left out of all. Prints one JSON document, and a line per
seed on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from hidden_outcomes import HiddenOutcomes

from tenbin.config import Document, Endpoint, Profile
from tenbin.evaluate.curve import PLAIN, chosen
from tenbin.evaluate.metrics import cost_share, curve_hull, scale_of
from tenbin.outcomes import read_outcomes
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.clusters import cluster_prompts
from tenbin.pilot.plan.planner import History, plan_stage
from tenbin.pilot.plan.setup import PilotSetup
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Record
from tenbin.prices import PriceBook
from tenbin.quality.exact import Exact
from tenbin.quality.metric_grader import MetricGrader
from tenbin.risk import mu_grid
from tenbin.router.fit import FitSettings, fit
from tenbin.router.sweep import Sweep
from tenbin.types import Candidate, Floats, Panel

MUS = mu_grid(61)
UNIT_ROWS = 1_000
"""Dollars are counted in what so many random full rows cost."""
RANDOM = (0.2, 0.4, 0.6, 0.8, 1.0)
ROUND_ROBIN = (0.25, 0.5, 0.75, 1.0)
PER_PROMPT = 4
"""Candidates that round-robin asks per prompt, in turn."""
STAGES = 6
"""Of the planner; each ends where it ends."""
RATIOS = (0.95, 0.97, 0.99)
SHARES = np.linspace(0.1, 1.0, 181)


@dataclass(frozen=True)
class World:
    """One seed: what is hidden in the pool, and the held-out rows."""

    pool: Panel
    cost_usd: Floats
    prompts: tuple[PilotPrompt, ...]
    test: Panel
    test_usd: Floats
    prices: PriceBook
    prices_path: Path
    promise: float

    @property
    def unit_usd(self) -> float:
        """What 1,000 random full rows cost."""
        return UNIT_ROWS * float(self.cost_usd.sum(axis=1).mean())


def main() -> None:
    arguments = parser().parse_args()
    prices = PriceBook.load(arguments.prices)
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~(np.isnan(panel.quality) | np.isnan(panel.output_tokens)).any(axis=1))
    prompts = tuple(PilotPrompt(q.query_id, q.prompt, q.messages) for q in panel.queries)
    clusters = cluster_prompts(prompts, seed=0)
    seeds = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        seeds.append(one(world_of(panel, prompts, clusters, prices, arguments, seed), seed))
        print(json.dumps(seeds[-1]), file=sys.stderr, flush=True)
    document = {"data_hash": panel.data_hash, "n": len(panel), "promise": arguments.promise, **summed(seeds)}
    json.dump({**document, "seeds": seeds}, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--seeds", type=int, default=10)
    made.add_argument("--first-seed", type=int, default=0)
    made.add_argument("--promise", type=float, default=0.97)
    made.add_argument("--test-rows", type=int, default=2_400)
    return made


def world_of(panel, prompts, clusters, prices: PriceBook, arguments, seed: int) -> World:
    """The pool and the held-out rows of one seed."""
    order = np.random.default_rng(seed).permutation(len(panel))
    test, pool = np.sort(order[: arguments.test_rows]), once(prompts, order[arguments.test_rows :])
    rates = prices.rates(panel.models)
    cost = rates.cost_usd(panel.input_tokens, panel.output_tokens)
    asked = tuple(
        PilotPrompt(p.query_id, p.prompt, p.messages, cluster=int(c))
        for p, c in zip((prompts[i] for i in pool), clusters[pool], strict=True)
    )
    return World(
        panel.take(pool), cost[pool], asked, panel.take(test), cost[test], prices, arguments.prices, arguments.promise
    )


def once(prompts: tuple[PilotPrompt, ...], rows: np.ndarray) -> np.ndarray:
    """The rows without those whose text stands further ahead."""
    first = {prompts[i].prompt: int(i) for i in rows[::-1]}
    return np.array([i for i in rows if first[prompts[i].prompt] == i])


def one(world: World, seed: int) -> dict[str, object]:
    """The curves of one seed: dollars (shares of the unit) and cost shares at each of `RATIOS`."""
    curves = {}
    for name, bought in (("random", random_rows), ("round_robin", round_robin), ("planner", planner)):
        points = [
            [float(world.cost_usd[cells].sum() / world.unit_usd), *measured(world, cells, propensity)]
            for cells, propensity in bought(world, seed)
        ]
        curves[name] = points
    return {"seed": seed, "unit_usd": world.unit_usd, **curves}


def random_rows(world: World, _seed: int) -> Iterator[tuple[np.ndarray, Floats]]:
    """Full rows in random order (the pool is in random order already)."""
    spent = np.cumsum(world.cost_usd.sum(axis=1))
    for share in RANDOM:
        cells = np.zeros(world.cost_usd.shape, dtype=np.bool_)
        cells[spent <= share * world.unit_usd] = True
        yield cells, np.ones(cells.shape)


def round_robin(world: World, _seed: int) -> Iterator[tuple[np.ndarray, Floats]]:
    """The next prompt asks the next four candidates, and so on in turn."""
    n, m = world.cost_usd.shape
    turn = (PER_PROMPT * np.arange(n)[:, None] + np.arange(PER_PROMPT)) % m
    whose = np.zeros((n, m), dtype=np.bool_)
    np.put_along_axis(whose, turn, True, axis=1)
    spent = np.cumsum(np.where(whose, world.cost_usd, 0.0).sum(axis=1))
    for share in ROUND_ROBIN:
        yield whose & (spent <= share * world.unit_usd)[:, None], np.ones((n, m))


def planner(world: World, seed: int) -> Iterator[tuple[np.ndarray, Floats]]:
    """Stage after stage of `tenbin pilot plan`, each bought whole by `tenbin pilot run` before the next is planned."""
    with tempfile.TemporaryDirectory() as folder, HiddenOutcomes(world.pool, Path(folder), world.prices_path) as shop:
        pairs: list[Pair] = []
        records: list[Record] = []
        for stage in range(STAGES):
            planned, _ = plan_stage(
                world.prompts,
                setup_of(world),
                History(pairs, records, spent_usd(records)),
                stage=stage,
                reference=None,
                budget_usd=world.unit_usd,
                seed=seed,
                at=0.0,
            )
            # Second answers measure noise, which these outcomes cannot show: they are paid for nowhere.
            fresh = [pair for pair in planned.pairs if pair.repeat == 0]
            pairs += fresh
            records = shop.buy(fresh)
            if stage > 1:
                yield cells_of(world, records)


def spent_usd(records: list[Record]) -> float:
    """What the answers in the journal cost."""
    return sum(record.cost_usd for record in records if isinstance(record, Bought))


def cells_of(world: World, records: list[Record]) -> tuple[np.ndarray, Floats]:
    """Which cells [n, M] were bought, and their propensities; the journal must tell of each what was hidden."""
    row = {prompt.query_id: i for i, prompt in enumerate(world.prompts)}
    column = {model: m for m, model in enumerate(world.pool.models)}
    cells, propensity = np.zeros(world.cost_usd.shape, dtype=np.bool_), np.ones(world.cost_usd.shape)
    for record in records:
        if not isinstance(record, Bought | Graded):
            continue
        cell = row[record.query_id], column[record.model]
        if isinstance(record, Graded):
            told, hidden = record.quality, world.pool.quality[cell]
        else:
            told, hidden = record.cost_usd, world.cost_usd[cell]
            cells[cell], propensity[cell] = True, record.label_propensity
        if told is None or not np.isclose(told, hidden):
            raise RuntimeError(f"{record.query_id} by {record.model}: the journal says {told}, hidden was {hidden}")
    return cells, propensity


def setup_of(world: World) -> PilotSetup:
    """The profile that promises so much of the best quality, graded for nothing."""
    candidates = tuple(Candidate(model) for model in world.pool.models)
    profile = Profile("replay", min_quality=world.promise, metric="exact")
    endpoints: dict[str, Endpoint] = {}
    grader = MetricGrader(Exact())
    return PilotSetup(Document(), Path(), profile, candidates, endpoints, world.prices, Path(), grader)


def measured(world: World, cells: np.ndarray, propensity: Floats) -> list[float]:
    """Cost shares at each of `RATIOS` on the held-out rows, of a router fitted on these cells."""
    rows = np.flatnonzero(cells.any(axis=1))
    panel, kept = world.pool.take(rows), cells[rows]
    hidden = {
        name: np.where(kept, getattr(panel, name), np.nan)
        for name in ("quality", "input_tokens", "output_tokens", "cost_usd")
    }
    sample = replace(panel, **hidden, label_propensity=propensity[rows])
    router = fit(sample, world.prices, FitSettings(embedder="base", groups=False, learning_curve=False))
    estimates = router.estimate(router.features(world.test.queries))
    everyone = np.ones(len(router.models), dtype=np.bool_)
    expected_usd = router.cost_usd(estimates)
    choices = Sweep.of(estimates, expected_usd, router.models, router.anchors, PLAIN, everyone).choices(MUS)
    quality, cost = world.test.quality, world.test_usd
    scale = scale_of(quality.mean(axis=0), cost.mean(axis=0))
    points = [chosen(values, choices).mean(axis=1).tolist() for values in (cost, quality)]
    hull = curve_hull(points[0], points[1], scale)
    shares = [cost_share(hull, ratio, scale) for ratio in RATIOS]
    return [1.0 if np.isnan(share) else share for share in shares]


def summed(seeds: list[dict[str, object]]) -> dict[str, object]:
    """Mean curves over the seeds, and the share of the dollars at which each reaches random's cost at the unit."""
    found: dict[str, object] = {}
    for k, ratio in enumerate(RATIOS, start=1):
        curves = {
            name: np.array([at_shares(s[name], k) for s in seeds]) for name in ("random", "round_robin", "planner")
        }
        rng = np.random.default_rng(0)
        draws = [np.arange(len(seeds)), *rng.integers(0, len(seeds), (1_000, len(seeds)))]
        at = {}
        for name, values in curves.items():
            reached = [share_reaching(values[d].mean(0), curves["random"][d, -1].mean()) for d in draws]
            low, high = np.quantile(reached, (0.025, 0.975), method="inverted_cdf")
            at[name] = {"share": reached[0], "low": low, "high": high}
        picked = [int(np.argmin(np.abs(SHARES - share))) for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)]
        means = {name: {f"{SHARES[p]:.1f}": float(v[:, p].mean()) for p in picked} for name, v in curves.items()}
        found[f"cost_at_{ratio:g}"] = {"goal": float(curves["random"][:, -1].mean()), "reached_at": at, "curve": means}
    return found


def at_shares(points, k: int) -> Floats:
    """One curve between its points: no saving (1) before the first, flat beyond the last."""
    return np.interp(SHARES, [point[0] for point in points], [point[k] for point in points], left=1.0)


def share_reaching(curve: Floats, goal: float) -> float:
    """The least share from which on the mean curve stays at or below the goal; infinite where it does not end so."""
    above = np.flatnonzero(curve > goal + 1e-9)
    if not above.size:
        return float(SHARES[0])
    return float(SHARES[above[-1] + 1]) if above[-1] + 1 < len(SHARES) else float("inf")


if __name__ == "__main__":
    main()
