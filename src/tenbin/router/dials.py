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


@dataclass(frozen=True, slots=True)
class Dial:
    """What the user asked for; at most one of the four is given, none means `min_quality` 0.99.

    `min_quality` is a share of the reference's mean quality, `max_cost_usd` mean dollars per query, `best` mu = 0.
    """

    mu: float | None = None
    min_quality: float | None = None
    max_cost_usd: float | None = None
    best: bool = False
    w: float = 0.0
    caution: float = 0.0
    minimax: bool = False

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
    if dial.best:
        return dial.at(0.0)
    if dial.mu is not None:
        return dial.at(dial.mu)
    if dial.max_cost_usd is not None:
        return _dearest_within(dial, curve, dial.max_cost_usd)
    share = DEFAULT_MIN_QUALITY if dial.min_quality is None else dial.min_quality
    return _cheapest_reaching(dial, curve, share)


def with_default(dial: Dial) -> Dial:
    """The dial with the default promise spelt out where nothing was asked."""
    asked = dial.best or any(v is not None for v in (dial.mu, dial.min_quality, dial.max_cost_usd))
    return dial if asked else replace(dial, min_quality=DEFAULT_MIN_QUALITY)


def _cheapest_reaching(dial: Dial, curve: DialCurve, share: float) -> TradeOff:
    target = share * curve.reference_quality
    reaching = curve.quality >= target
    if not reaching.any():
        best = float(curve.quality.max() / curve.reference_quality)
        raise DecisionError(
            f"no trade-off reaches {share:.1%} of the reference's {curve.reference_quality:.4f} out of fold; "
            f"the best reaches {best:.1%}",
            fix=f"ask for at most {np.floor(best * 1000) / 1000:g}",
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
