"""Why a candidate was chosen, and why each other one was not, as reasons with their figures."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from tenbin.reasons import Reason
from tenbin.risk import LOSS_DECIMALS, cautious_quality
from tenbin.strangers import SentTo
from tenbin.types import CandidateView, Estimates, Floats, TradeOff

T = TypeVar("T", bound=str)

SENT: Mapping[SentTo, str] = MappingProxyType(
    {"reference": "to_reference", "cheapest": "to_cheapest", "sheltered": "sheltered"}
)
"""The reasons of decisions about strangers, by their keys."""


def views(
    models: Sequence[str],
    estimates: Estimates,
    cost_usd: Floats,
    loss: Floats,
    bars: Sequence[str | None],
    chosen: int,
    trade_off: TradeOff,
    sent: SentTo | None = None,
) -> tuple[CandidateView, ...]:
    """Every candidate's estimates, loss and reason for one query, the least loss first.

    `estimates`, `cost_usd` and `loss` have one row; `bars` [M] says why a candidate may not answer, `sent` where the
    query went as a stranger.
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
            reason=_why(m, chosen, amounts, loss[0], bars[m], trade_off)
            if sent is None
            else _why_not_sent(m, chosen, cost_usd[0], bars[m], sent),
        )
        for m, name in enumerate(models)
    ]
    return tuple(sorted(rows, key=lambda v: (v.model != models[chosen], not v.eligible, v.loss, v.cost_usd, v.model)))


def headline(
    trade_off: TradeOff,
    bars: Sequence[str | None],
    fell_back: bool,
    ground: Reason | None,
    sent: SentTo | None = None,
) -> Reason:
    """The reason of the whole decision, in a few words.

    `ground` says what the estimates lack (None: nothing), `sent` where the query went as a stranger.
    """
    if fell_back:
        return _reason("unestimated")
    if bars.count(None) == 1:
        return _reason("only_eligible")
    if sent is not None:
        return _reason(SENT[sent])
    key = "least_loss"
    if trade_off.mu == 0.0:
        key = "best_quality"
    elif trade_off.mu == 1.0 and trade_off.w == 0.0:
        key = "least_cost"
    return _reason(key, ground)


@functools.cache
def _reason(key: str, ground: Reason | None = None) -> Reason:
    """A reason without figures, with its ground: there are a dozen, and one for every decision."""
    reason = Reason(key)
    return reason if ground is None else Reason("with_ground", reason=reason, ground=ground)


def _why(m: int, chosen: int, amounts: Sequence[Floats], loss: Floats, bar: str | None, trade_off: TradeOff) -> str:
    """Why candidate `m` lost; `amounts` are quality as the trade-off sees it, dollars and seconds, [M] each."""
    if bar is not None or m == chosen:
        return bar or Reason("chosen")
    if np.isnan(loss[m]):
        return Reason("no_estimate")
    if round(float(loss[m]), LOSS_DECIMALS) == round(float(loss[chosen]), LOSS_DECIMALS):
        return Reason("tied")
    gain, extra, longer = (float(values[m] - values[chosen]) for values in amounts)
    doubted = trade_off.caution > 0.0 or trade_off.minimax
    if trade_off.mu == 0.0:
        return Reason("lower_cautious_quality" if doubted else "lower_quality", gain=_points(gain))
    if trade_off.mu == 1.0:
        return _burdened(extra, longer, trade_off.w)
    return _weighed(gain, extra, longer, trade_off.w, doubted)


def _why_not_sent(m: int, chosen: int, cost_usd: Floats, bar: str | None, sent: SentTo) -> str:
    """Why a stranger was not sent to candidate `m`."""
    if bar is not None or m == chosen:
        return bar or Reason("chosen")
    if sent != "cheapest":
        return Reason("not_reference" if sent == "reference" else "not_sheltering")
    extra = float(cost_usd[m] - cost_usd[chosen])
    return Reason("no_estimate") if np.isnan(extra) else Reason("higher_cost", extra=_dollars(extra))


def _burdened(extra: float, longer: float, w: float) -> Reason:
    """Why a candidate lost where quality does not count; `longer` in seconds over the chosen one."""
    if w == 0.0:
        return Reason("higher_cost", extra=_dollars(extra))
    if w == 1.0:
        return Reason("slower", longer=_seconds(longer))
    return Reason("cost_and_time", extra=_dollars(extra), longer=_seconds(longer))


def _weighed(gain: float, extra: float, longer: float, w: float, doubted: bool) -> Reason:
    """What the loser offers and why it was not enough: quality, dollars where w < 1, seconds where w > 0.

    A `doubted` gain is not the difference of the estimates that are shown.
    """
    # Each by how much it speaks for the loser, its size, and in words where the loser offers nothing at all.
    quality = Reason("cautious_quality" if doubted else "quality", gain=_points(gain))
    no_better = Reason("no_better_cautiously" if doubted else "no_better", gain=_points(gain))
    sides: list[tuple[float, str, Reason]] = [(gain, quality, no_better)]
    if w < 1.0:
        sides.append((-extra, _dollars(extra), Reason("no_cheaper", extra=_dollars(extra))))
    if w > 0.0:
        sides.append((-longer, _seconds(longer), Reason("no_faster", longer=_seconds(longer))))
    saved = [size[1:] for worth, size, _ in sides[1:] if worth > 0.0]
    if gain <= 0.0 and not saved:
        return _all_of([said for _, _, said in sides], ("nor", "nor_third"))
    lacks = _all_of([size for worth, size, _ in sides if worth < 0.0])
    if not saved:
        return Reason("quality_does_not_pay", gain=quality, lacks=lacks)
    if gain <= 0.0:
        return Reason("saving_does_not_make_up", saved=_all_of(saved), lacks=lacks)
    return Reason("both_do_not_pay", gain=quality, saved=_all_of(saved), lacks=lacks)


def _all_of(parts: Sequence[T], joints: tuple[str, str] = ("both", "all_three")) -> T | Reason:
    """One to three parts as one, two and three of them joined as these sentences say."""
    if len(parts) == 1:
        return parts[0]
    return Reason(joints[len(parts) - 2], **dict(zip(("first", "second", "third"), parts, strict=False)))


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
