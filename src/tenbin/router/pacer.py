"""A budget kept on actual spend: from what the requests have cost to the mu of the next one.

Pure: a tally is a value, every function returns the next one, and the time is handed in. The dual variable of "the best
quality within these dollars" is mu. An online dual ascent (Balseiro, Lu and Mirrokni, "The best of many worlds: dual
mirror descent for online allocation problems", 2020) would move it by what each request cost too much. Here the
out-of-fold curve says which mu costs how much, so the controller moves in dollars instead: the next requests may cost
the budget, less what is owed; corrected by how much dearer than the curve the latest requests were; and the curve
turns that into a mu. The step is then right on every price level, for every number of candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import UsageError
from tenbin.router.crossfit import DialCurve
from tenbin.types import Floats

DAY_S = 86_400
HOURS = 24
REPAY_REQUESTS = 25.0
"""What is owed or saved is made up for over so many requests."""
MEMORY_REQUESTS = 5_000.0
"""Debts and savings fade over so many: nobody pays for last month's prices, or saves up for a spree."""
MOST_TARGET = 2.0
"""However much was saved, the next requests cost at most so many times the budget in the mean."""
DEARER_REQUESTS = 50.0
"""Over so many of the latest requests it is seen how much dearer than the curve they are."""
TRUST_REQUESTS = 20.0
"""At first the curve is believed as if it were so many answers."""
MOST_DEARER = 100.0
YESTERDAY_SHARE = 0.1
"""Former days' volume weighs as much as this share of a day of today's."""
LEAST_LEFT = 10.0
"""At the end of a day, what is left is not spent on fewer requests than this."""

_NO_HOURS = (0.0,) * HOURS


@dataclass(frozen=True, slots=True)
class Budget:
    """What is to be kept: mean dollars per request, dollars per day (UTC), or both; None is no limit."""

    request_usd: float | None = None
    day_usd: float | None = None

    def __post_init__(self) -> None:
        for name, usd in (("a request", self.request_usd), ("a day", self.day_usd)):
            if usd is not None and not 0.0 < usd < np.inf:
                raise UsageError(f"a budget of {usd} dollars for {name} buys nothing", fix="give a number above 0")


@dataclass(frozen=True, slots=True)
class Tally:
    """What one worker's requests have cost; tallies of several workers add up (`together`).

    `debt_usd` is spent less allowed per request, fading; `billed_usd` and `expected_usd` are fading sums over the
    latest of the `seen` answers, the second at the curve's cost of their mu. `day` counts from 1970 in UTC, `day_usd`
    are its dollars, `hours` its requests by hour, `began` the share of the day gone at the first; `before` is the mean
    of `hours` over former days, the latest weighing most.
    """

    debt_usd: float = 0.0
    seen: float = 0.0
    billed_usd: float = 0.0
    expected_usd: float = 0.0
    day: int = 0
    day_usd: float = 0.0
    began: float = 1.0
    hours: tuple[float, ...] = _NO_HOURS
    before: tuple[float, ...] = _NO_HOURS


def paid(
    tally: Tally, budget: Budget, *, cost_usd: float, expected_usd: float | None, is_request: bool, now: float
) -> Tally:
    """After one more bill at `now` (Unix seconds); `expected_usd` is the curve's cost at the mu it was decided with.

    A call that failed and was billed is no request of its own (`is_request` False): its dollars count alone.
    """
    tally = turned(tally, int(now // DAY_S))
    allowed = (budget.request_usd or 0.0) if is_request else 0.0
    debt = tally.debt_usd * (1.0 - is_request / MEMORY_REQUESTS) + cost_usd - allowed
    found = replace(tally, debt_usd=debt if budget.request_usd is not None else 0.0, day_usd=tally.day_usd + cost_usd)
    if expected_usd is not None and expected_usd > 0.0:
        kept = 1.0 - 1.0 / DEARER_REQUESTS
        found = replace(
            found,
            seen=found.seen + 1.0,
            billed_usd=found.billed_usd * kept + cost_usd,
            expected_usd=found.expected_usd * kept + expected_usd,
        )
    return _arrived(found, now) if is_request else found


def _arrived(tally: Tally, now: float) -> Tally:
    share = (now % DAY_S) / DAY_S
    hours = list(tally.hours)
    hours[int(share * HOURS)] += 1.0
    return replace(tally, hours=tuple(hours), began=min(tally.began, share))


def turned(tally: Tally, day: int) -> Tally:
    """The tally on that day: another day begins with nothing spent, and remembers the volume of the one before."""
    if day == tally.day:
        return tally
    before = tally.before
    if any(tally.hours) and any(before):
        before = tuple((old + new) / 2.0 for old, new in zip(before, tally.hours, strict=True))
    elif any(tally.hours):
        before = tally.hours
    return replace(tally, day=day, day_usd=0.0, began=1.0, hours=_NO_HOURS, before=before)


def together(tallies: Iterable[Tally], day: int) -> Tally:
    """The tally of all workers on that day."""
    there = [turned(tally, day) for tally in tallies]
    return Tally(
        debt_usd=sum(t.debt_usd for t in there),
        seen=sum(t.seen for t in there),
        billed_usd=sum(t.billed_usd for t in there),
        expected_usd=sum(t.expected_usd for t in there),
        day=day,
        day_usd=sum(t.day_usd for t in there),
        began=min((t.began for t in there), default=1.0),
        hours=_summed([t.hours for t in there]),
        before=_summed([t.before for t in there]),
    )


def _summed(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*rows, strict=True)) if rows else _NO_HOURS


def dearer(tally: Tally) -> float:
    """How many times dearer than the curve the latest requests were; 1 where nothing is known."""
    if tally.expected_usd <= 0.0:
        return 1.0
    ratio = tally.billed_usd / tally.expected_usd
    shrunk = (tally.seen * ratio + TRUST_REQUESTS) / (tally.seen + TRUST_REQUESTS)
    return min(max(shrunk, 1.0 / MOST_DEARER), MOST_DEARER)


def target_usd(tally: Tally, budget: Budget, now: float) -> float:
    """The mean dollars that the next requests may cost, at least 0; infinite where there is no budget."""
    targets = [np.inf]
    if budget.request_usd is not None:
        target = budget.request_usd - tally.debt_usd / REPAY_REQUESTS
        targets.append(min(target, MOST_TARGET * budget.request_usd))
    if budget.day_usd is not None:
        left = budget.day_usd - turned(tally, int(now // DAY_S)).day_usd
        targets.append(left / max(requests_left(tally, now), LEAST_LEFT))
    return float(max(min(targets), 0.0))


def requests_left(tally: Tally, now: float) -> float:
    """How many requests the rest of the day (UTC) is expected to bring.

    Today's volume so far is carried on in the shape of former days, or evenly where there were none.
    """
    tally = turned(tally, int(now // DAY_S))
    share = (now % DAY_S) / DAY_S
    total = sum(tally.before)
    if total <= 0.0:
        seen = max(share - tally.began, 0.0)
        return (sum(tally.hours) + 1.0) / (seen + 0.01) * (1.0 - share)
    hour = int(share * HOURS)
    gone = (sum(tally.before[:hour]) + tally.before[hour] * (share * HOURS - hour)) / total
    # A tenth of an even day in the shape: no hour is ruled out because nothing came in it before.
    gone = 0.9 * gone + 0.1 * share
    volume = (sum(tally.hours) + YESTERDAY_SHARE * total) / (gone + YESTERDAY_SHARE)
    return volume * (1.0 - gone)


@dataclass(frozen=True, slots=True, eq=False)
class PaceCurve:
    """A dial curve that can be read both ways: `mu` [K] rising, `cost_usd` [K] falling.

    It begins at the mu of the best quality: what costs more than that is not worth having, whatever the budget.
    """

    mu: Floats
    cost_usd: Floats

    @classmethod
    def of(cls, curve: DialCurve) -> PaceCurve:
        """Made from out-of-fold figures, whose little rises are smoothed away."""
        best = int(np.flatnonzero(curve.quality == curve.quality.max())[-1])
        return cls(curve.mu[best:], np.minimum.accumulate(curve.cost_usd[best:]))

    def mu_of(self, cost_usd: float) -> float:
        """The least mu of at most this mean cost; 1 where nothing is so cheap."""
        if cost_usd >= self.cost_usd[0]:
            return float(self.mu[0])
        if cost_usd < self.cost_usd[-1]:
            return 1.0
        rising, mus = self.cost_usd[::-1], self.mu[::-1]
        return float(np.interp(cost_usd, rising, mus))

    def cost_of(self, mu: float) -> float:
        """The mean cost of a mu."""
        return float(np.interp(mu, self.mu, self.cost_usd))


def paced_mu(tally: Tally, budget: Budget, curve: PaceCurve, now: float) -> float:
    """The mu of the next request, with the tally of all workers."""
    return curve.mu_of(target_usd(tally, budget, now) / dearer(tally))
