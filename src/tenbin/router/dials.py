"""The user's dials: from "this quality at least cost" or "at most these dollars" to a trade-off, out of fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import DecisionError, UsageError
from tenbin.risk import check_trade_off
from tenbin.router.crossfit import DialCurve
from tenbin.types import TradeOff

DEFAULT_MIN_QUALITY = 0.99
"""Where nothing is asked: 99 % of the reference's quality at the least cost."""
ROUNDING = 1e-9
"""Shares are products of rounded figures: what is named as the most that can be had must be had when asked for."""


@dataclass(frozen=True, slots=True)
class Dial:
    """What the user asked for; at most one of the four is given, none means `min_quality` 0.99, or the most there is.

    `min_quality` is a share of the reference's mean quality, `max_cost_usd` mean dollars per query, `best` mu = 0.
    """

    mu: float | None = None
    min_quality: float | None = None
    max_cost_usd: float | None = None
    best: bool = False
    w: float = 0.0
    caution: float = 0.0
    minimax: bool = False

    @property
    def is_default(self) -> bool:
        """Whether none of the four is given."""
        return not self.best and all(v is None for v in (self.mu, self.min_quality, self.max_cost_usd))

    def check(self) -> None:
        """Refuse two dials at once and values outside their range (UsageError)."""
        given = [
            name
            for name, on in (
                ("--mu", self.mu is not None),
                ("--min-quality", self.min_quality is not None),
                ("--max-cost", self.max_cost_usd is not None),
                ("--best", self.best),
            )
            if on
        ]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} are two dials for one thing", fix="give one of them")
        check_trade_off(self.at(0.0 if self.mu is None else self.mu))
        if self.min_quality is not None and not 0.0 < self.min_quality <= 2.0:
            raise UsageError(
                f"a minimum quality of {self.min_quality} is no share of the reference's", fix="give e.g. 0.97"
            )
        if self.max_cost_usd is not None and not 0.0 < self.max_cost_usd < np.inf:
            raise UsageError(f"a maximum cost of {self.max_cost_usd} dollars buys nothing", fix="give e.g. 0.002")

    def at(self, mu: float) -> TradeOff:
        """The trade-off of this dial at one mu."""
        return TradeOff(mu, self.w, self.caution, self.minimax)


def turn(dial: Dial, curve: DialCurve) -> TradeOff:
    """The trade-off that the dial asks for, read off the out-of-fold curve.

    Among the points that keep the promise the one of least cost (or, under a cost ceiling, of best quality); ties go
    to the smaller mu. DecisionError where no point keeps it.
    """
    dial = spelt_out(dial, curve)
    if dial.best:
        return dial.at(0.0)
    if dial.mu is not None:
        return dial.at(dial.mu)
    if dial.max_cost_usd is not None:
        return _dearest_within(dial, curve, dial.max_cost_usd)
    return _cheapest_reaching(dial, curve, dial.min_quality or 0.0)


def spelt_out(dial: Dial, curve: DialCurve) -> Dial:
    """The dial, with a promise where nothing was asked: 99 %, or the most that can be had (mu 0 where that is nothing).

    Nobody asked for the 99 %, so where denied models put it out of reach, that is no error.
    """
    if not dial.is_default:
        return dial
    share = min(DEFAULT_MIN_QUALITY, _best_share(curve))
    return replace(dial, min_quality=share) if share > 0.0 else replace(dial, best=True)


def _best_share(curve: DialCurve) -> float:
    """The largest share of the reference's quality that some mu reaches, rounded down to a tenth of a per cent."""
    if curve.reference_quality <= 0.0:
        return np.inf
    return float(np.floor(curve.quality.max() / curve.reference_quality * 1000.0 + ROUNDING)) / 1000.0


def _cheapest_reaching(dial: Dial, curve: DialCurve, share: float) -> TradeOff:
    reaching = curve.quality >= share * curve.reference_quality - ROUNDING
    if not reaching.any():
        best = float(curve.quality.max() / curve.reference_quality)
        raise DecisionError(
            f"no trade-off reaches {share:.1%} of the reference's {curve.reference_quality:.4f} out of fold; "
            f"the best reaches {best:.1%}",
            fix=f"ask for at most {_best_share(curve):g}",
        )
    cost = np.where(reaching, curve.cost_usd, np.inf)
    return dial.at(float(curve.mu[int(np.argmin(cost))]))


def _dearest_within(dial: Dial, curve: DialCurve, ceiling_usd: float) -> TradeOff:
    within = curve.cost_usd <= ceiling_usd
    if not within.any():
        least = float(curve.cost_usd.min())
        raise DecisionError(
            f"no trade-off costs at most {ceiling_usd:g} dollars per query; the cheapest costs {least:.3g}",
            fix=f"allow {least * 1.01:.3g} or more",
        )
    quality = np.where(within, curve.quality, -np.inf)
    return dial.at(float(curve.mu[int(np.argmax(quality))]))
