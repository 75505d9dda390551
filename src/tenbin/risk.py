"""The rule: the loss of every candidate, and the candidate of least loss.

    loss_m = (1 - mu) (1 - q~_m) + mu ((1 - w) c_m / c_ref + w t_m / t_ref)

q~_m is the estimated quality, lowered by caution or to the end of its credible set; c_m dollars at the prices of the
moment; t_m seconds. The convex combination and its plug-in are those of CARROT (arXiv 2502.03261, section 3); the
anchors c_ref and t_ref make mu mean the same on every price level. Everything here is pure: arrays in, arrays out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.errors import UsageError
from tenbin.types import Bools, Estimates, Floats, Ints, TradeOff

LOSS_DECIMALS = 9
CREDIBLE_SD = 1.6448536269514722
"""Standard deviations to the lower end of the credible set of minimax mode: 95 % one-sided, normal."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The fixed numbers that scale the loss: the reference candidate, its mean dollars and its mean seconds."""

    reference: str
    c_ref_usd: float
    t_ref_s: float


def check_trade_off(trade_off: TradeOff) -> None:
    """Refuse a dial outside its range: mu and w in [0, 1], caution >= 0 (UsageError)."""
    for name, value in (("mu", trade_off.mu), ("w", trade_off.w)):
        if not 0.0 <= value <= 1.0:
            raise UsageError(f"{name} = {value} is outside [0, 1]", fix=f"give {name} between 0 and 1")
    if not 0.0 <= trade_off.caution < np.inf:
        raise UsageError(f"caution = {trade_off.caution} is not a number >= 0", fix="give caution of 0 or more")


def cautious_quality(estimates: Estimates, trade_off: TradeOff) -> Floats:
    """q~ [n, M]: the quality as the trade-off sees it.

    Caution subtracts standard deviations of the gap to the reference, so that thin evidence prefers the reference;
    minimax mode takes the lower end of each candidate's own credible set.
    """
    if trade_off.minimax:
        return np.maximum(estimates.quality - CREDIBLE_SD * estimates.quality_sd, 0.0)
    if trade_off.caution == 0.0:
        return estimates.quality
    return estimates.quality - trade_off.caution * estimates.gap_sd


def losses(quality: Floats, cost_usd: Floats, latency_s: Floats, trade_off: TradeOff, anchors: Anchors) -> Floats:
    """Losses [n, M] of qualities, dollars and seconds (all [n, M]) at one trade-off."""
    mu, w = trade_off.mu, trade_off.w
    burden = cost_usd / anchors.c_ref_usd
    if w > 0.0:
        burden = (1.0 - w) * burden + w * (latency_s / anchors.t_ref_s)
    return (1.0 - mu) * (1.0 - quality) + mu * burden


def in_steps(loss: Floats) -> Floats:
    """Losses as they are compared: rounded to whole numbers of 1e-9."""
    steps: Floats = np.rint(loss * 10**LOSS_DECIMALS)
    return steps


def name_order(names: tuple[str, ...]) -> Ints:
    """The rank [M] of every name in alphabetical order; the last tie-break of `choose`."""
    rank = np.empty(len(names), dtype=np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return rank


def choose(loss: Floats, cost_usd: Floats, rank: Ints, eligible: Bools | None = None) -> Ints:
    """The candidate [n] of least loss in every row of `loss` [n, M].

    Losses are compared after rounding to 1e-9; ties go to the cheaper, then to the first name (`rank` [M], from
    `name_order`). Rows of `eligible` [n, M] must each have a true cell. NaN losses never win.
    """
    compared = np.fmin(in_steps(loss), np.inf)  # of NaN and a number this takes the number
    if eligible is not None:
        compared = np.where(eligible, compared, np.inf)
    tied = compared == np.minimum.reduce(compared, axis=1, keepdims=True)
    chosen: Ints
    if np.count_nonzero(tied) == len(tied):  # every row has its least, so none has two
        chosen = tied.argmax(axis=1)
        return chosen
    tied &= ~np.isnan(loss) if eligible is None else eligible & ~np.isnan(loss)
    cost = np.where(tied, cost_usd, np.inf)
    tied &= cost == cost.min(axis=1, keepdims=True)
    chosen = np.where(tied, rank, rank.size).argmin(axis=1)
    return chosen


def mu_grid(points: int) -> Floats:
    """`points` values of mu from 0 to 1 whose odds mu / (1 - mu) are logarithmic from 1e-3 to 1e3, plus 0 and 1.

    Both the dear and the cheap end of the dial resolve. At least 3 points (UsageError otherwise).
    """
    if points < 3:
        raise UsageError(f"a sweep of {points} points has no inside", fix="ask for 3 or more")
    odds = np.logspace(-3.0, 3.0, points - 2)
    return np.concatenate([[0.0], odds / (1.0 + odds), [1.0]])
