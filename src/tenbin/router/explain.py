"""Why a candidate was chosen, and why each other one was not, in words and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tenbin.risk import LOSS_DECIMALS, cautious_quality
from tenbin.types import CandidateView, Estimates, Floats, TradeOff


def views(
    models: Sequence[str],
    estimates: Estimates,
    cost_usd: Floats,
    loss: Floats,
    bars: Sequence[str | None],
    chosen: int,
    trade_off: TradeOff,
) -> tuple[CandidateView, ...]:
    """Every candidate's estimates, loss and reason for one query, the least loss first.

    `estimates`, `cost_usd` and `loss` have one row; `bars` [M] says why a candidate may not answer.
    """
    amounts = (cautious_quality(estimates, trade_off)[0], cost_usd[0], estimates.latency_s[0])
    rows = [
        CandidateView(
            model=name,
            quality=float(estimates.quality[0, m]),
            quality_sd=float(estimates.quality_sd[0, m]),
            input_tokens=float(estimates.input_tokens[0, m]),
            output_tokens=float(estimates.output_tokens[0, m]),
            cost_usd=float(cost_usd[0, m]),
            latency_s=float(estimates.latency_s[0, m]),
            loss=float(loss[0, m]),
            eligible=bars[m] is None,
            reason=_why(m, chosen, amounts, loss[0], bars[m], trade_off),
        )
        for m, name in enumerate(models)
    ]
    return tuple(sorted(rows, key=lambda v: (v.model != models[chosen], not v.eligible, v.loss, v.cost_usd, v.model)))


def headline(trade_off: TradeOff, bars: Sequence[str | None], fell_back: bool, ground: str) -> str:
    """The reason of the whole decision, in a few words; `ground` says what the estimates lack ("" where nothing)."""
    if fell_back:
        return "safe default: nothing could be estimated"
    if sum(bar is None for bar in bars) == 1:
        return "only eligible candidate"
    reason = "least expected loss"
    if trade_off.mu == 0.0:
        reason = "best expected quality"
    elif trade_off.mu == 1.0 and trade_off.w == 0.0:
        reason = "least expected cost"
    return f"{reason}, {ground}" if ground else reason


def _why(m: int, chosen: int, amounts: Sequence[Floats], loss: Floats, bar: str | None, trade_off: TradeOff) -> str:
    """Why candidate `m` lost; `amounts` are quality as the trade-off sees it, dollars and seconds, [M] each."""
    if bar is not None or m == chosen:
        return bar or "chosen"
    if np.isnan(loss[m]):
        return "no estimate of its cost or time"
    if round(float(loss[m]), LOSS_DECIMALS) == round(float(loss[chosen]), LOSS_DECIMALS):
        return "tied; the chosen one is cheaper or comes first by name"
    gain, extra, longer = (float(values[m] - values[chosen]) for values in amounts)
    if trade_off.mu == 0.0:
        doubted = trade_off.caution > 0.0 or trade_off.minimax
        return f"lower {'cautious' if doubted else 'expected'} quality ({_points(gain)})"
    if trade_off.mu == 1.0:
        return _burdened(extra, longer, trade_off.w)
    return _weighed(gain, extra, longer, trade_off.w)


def _burdened(extra: float, longer: float, w: float) -> str:
    """Why a candidate lost where quality does not count; `longer` in seconds over the chosen one."""
    if w == 0.0:
        return f"higher expected cost ({_dollars(extra)})"
    if w == 1.0:
        return f"slower ({_seconds(longer)})"
    return f"cost ({_dollars(extra)}) and time ({_seconds(longer)}) weigh more together"


def _weighed(gain: float, extra: float, longer: float, w: float) -> str:
    """What the loser offers and why it was not enough: quality, dollars where w < 1, seconds where w > 0."""
    # Each by how much it speaks for the loser, its size, and in words where the loser offers nothing at all.
    sides = [(gain, f"{_points(gain)} quality", f"no better ({_points(gain)})")]
    if w < 1.0:
        sides.append((-extra, _dollars(extra), f"no cheaper ({_dollars(extra)})"))
    if w > 0.0:
        sides.append((-longer, _seconds(longer), f"no faster ({_seconds(longer)})"))
    saved = [size[1:] for worth, size, _ in sides[1:] if worth > 0.0]
    offers = [sides[0][1]] * (gain > 0.0) + [f"saving {' and '.join(saved)}"] * bool(saved)
    if not offers:
        nothing = [said for _, _, said in sides]
        return f"{', '.join(nothing[:-1])} and {nothing[-1]}"
    lacks = [size for worth, size, _ in sides if worth < 0.0]
    verb = f"{'does' if len(offers) == 1 else 'do'} not {'pay' if gain > 0.0 else 'make up'} for"
    return f"{' and '.join(offers)} {verb} {' and '.join(lacks)}"


def _points(gain: float) -> str:
    """A difference in quality, to three decimals or as many as show it."""
    return f"{gain:+.3f}" if gain == 0.0 or abs(gain) >= 0.0005 else f"{gain:+.9f}".rstrip("0")


def _dollars(amount: float) -> str:
    """A difference in dollars to two digits or cents, never in powers of ten."""
    size = abs(amount)
    decimals = 2 if size >= 1.0 or size == 0.0 else min(1 - math.floor(math.log10(size)), 12)
    text = f"{size:,.{decimals}f}"
    return f"{'-' if amount < 0.0 else '+'}${text if size >= 1.0 else text.rstrip('0').rstrip('.')}"


def _seconds(longer: float) -> str:
    return f"{longer:+.2g} s" if abs(longer) < 10.0 else f"{longer:+,.0f} s"
