"""The ladder: what each stage of a pilot buys, small first.

Stage 0 asks every candidate 50 prompts, ten of them twice: how much head room there is, and how noisy answers and
grades are. Stage 1 asks 200 prompts of the reference and of the two or three candidates that may stand on the hull of
cost and quality. From stage 2 on only pairs are bought that can change a decision (see `chosen`), and hold-out prompts
beside them; once every training prompt was asked, hold-out prompts alone.
"""

from __future__ import annotations

import numpy as np

from tenbin.errors import UsageError
from tenbin.evaluate.hull import upper_hull
from tenbin.pilot.field import IN_PLAY
from tenbin.pilot.plan.chosen import chosen_stage, held_out_stage
from tenbin.pilot.plan.draft import Draft
from tenbin.pilot.plan.draw import even_rows
from tenbin.pilot.plan.ground import Ground
from tenbin.reasons import counted
from tenbin.types import Bools, Floats

FIRST_CHOSEN = 2
FIRST_PROMPTS = 50
TWICE = 10
PAIRED_PROMPTS = 200
LEAST_PROMPTS = 10
"""Fewer prompts tell nothing, whatever they cost."""
MOST_RIVALS, LEAST_RIVALS = 3, 2
LEAST_HULL_CHANCE = 0.1
"""A third candidate is asked where it stands on the hull of so many of the resamples."""
RESAMPLES = 200


def draft_stage(ground: Ground, stage: int, dollars: float, rng: np.random.Generator) -> Draft:
    """The next stage for at most so many expected `dollars`.

    UsageError where they do not buy `LEAST_PROMPTS` prompts, or where no prompt is left that was not asked.
    """
    if not ground.fresh.any():
        return held_out_stage(ground, dollars, rng)
    if stage == 0:
        return _first_stage(ground, dollars, rng)
    if stage == 1:
        return _paired_stage(ground, dollars, rng)
    return chosen_stage(ground, dollars, rng)


def _first_stage(ground: Ground, dollars: float, rng: np.random.Generator) -> Draft:
    everyone = np.arange(len(ground.panel.models))
    share_twice = TWICE / FIRST_PROMPTS
    count = affordable(ground, everyone, FIRST_PROMPTS, dollars / (1.0 + share_twice))
    rows = even_rows(ground.cluster, ground.fresh, count, rng)
    twice = rng.permutation(rows)[: round(share_twice * len(rows))]
    cells = _cells(ground, rows, everyone)
    return Draft.of_cells("all", cells, ground.expected_usd, rng, twice=twice, live=tuple(everyone.tolist()))


def _paired_stage(ground: Ground, dollars: float, rng: np.random.Generator) -> Draft:
    rivals = hull_rivals(ground, rng)
    live = np.array(sorted({ground.reference, *rivals}), dtype=np.int64)
    # Half of what is left at most: a stage that chooses needs prompts as well.
    wanted = min(PAIRED_PROMPTS, -(-int(ground.fresh.sum()) // 2))
    count = affordable(ground, live, wanted, dollars)
    cells = _cells(ground, even_rows(ground.cluster, ground.fresh, count, rng), live)
    return Draft.of_cells("paired", cells, ground.expected_usd, rng, live=tuple(live.tolist()))


def affordable(ground: Ground, columns: np.ndarray, wanted: int, dollars: float) -> int:
    """How many prompts, at most `wanted`, the dollars buy of these candidates (UsageError below `LEAST_PROMPTS`)."""
    per_prompt = float(ground.expected_usd[ground.fresh][:, columns].sum(axis=1).mean())
    count = min(wanted, int(dollars / per_prompt)) if per_prompt > 0.0 else wanted
    if count < min(LEAST_PROMPTS, wanted):
        what = f"the budget left buys {counted(count, 'prompt')} of this stage, fewer than {LEAST_PROMPTS}"
        fix = f"each costs about ${per_prompt:.2g}: give a larger --budget, or fewer candidates"
        raise UsageError(what, fix=fix)
    return count


def hull_rivals(ground: Ground, rng: np.random.Generator) -> tuple[int, ...]:
    """The candidates beside the reference that may stand on the hull of cost and quality.

    By how often each is a vertex when the prompts that all of them answered are resampled. Who answered hardly any is
    not among them: the few that all did answer would decide about everybody.
    """
    panel = ground.panel
    answered = ~np.isnan(panel.quality)
    count = answered[ground.train].sum(axis=0)
    there = np.flatnonzero(count >= IN_PLAY * count.max())
    complete = ground.train & answered[:, there].all(axis=1)
    if not complete.any():
        raise UsageError(
            "no prompt of stage 0 has a graded answer of every candidate",
            fix="run the stage to its end, and see 'tenbin pilot status' for what failed",
        )
    chance = _hull_chance(panel.quality[complete][:, there], _observed_usd(ground, complete, there), rng)
    ranked = [int(there[k]) for k in np.argsort(-chance, kind="stable") if there[k] != ground.reference]
    likely = {int(there[k]) for k in np.flatnonzero(chance >= LEAST_HULL_CHANCE)}
    rivals = [m for place, m in enumerate(ranked[:MOST_RIVALS]) if place < LEAST_RIVALS or m in likely]
    return tuple(rivals)


def _observed_usd(ground: Ground, rows: Bools, columns: np.ndarray) -> Floats:
    """Mean dollars of the answers bought, the forecast where a call has no dollars."""
    bought = ground.panel.cost_usd[rows][:, columns]
    means: Floats = np.where(np.isnan(bought), ground.expected_usd[rows][:, columns], bought).mean(axis=0)
    return means


def _hull_chance(quality: Floats, cost_usd: Floats, rng: np.random.Generator) -> Floats:
    """The share [M] of resamples of the rows of `quality` [n, M] in which each candidate is a vertex of the hull."""
    n, m = quality.shape
    on_hull = np.zeros(m)
    for _ in range(RESAMPLES):
        means = quality[rng.integers(0, n, n)].mean(axis=0)
        hull = upper_hull(cost_usd, means)
        vertices = set(zip(hull.cost_usd, hull.quality, strict=True))
        on_hull += [point in vertices for point in zip(cost_usd.tolist(), means.tolist(), strict=True)]
    return on_hull / RESAMPLES


def _cells(ground: Ground, rows: np.ndarray, columns: np.ndarray) -> Bools:
    cells = np.zeros(ground.planned.shape, dtype=np.bool_)
    cells[np.ix_(rows, columns)] = True
    return cells
