"""A budget kept on actual spend: from what the requests have cost to the mu of the next one.

Pure: a tally is a value, every function returns the next one, and the time is handed in. The dual variable of "the best
quality within these dollars" is mu, and the out-of-fold curve says which mu costs how much. Two corrections are learnt
from the answers: how far bills are from what the router had expected of these very requests, within dozens of them; and
how much dearer the requests are than the training prompts, within hundreds only: a burst is no trend, what it cost is
owed and paid back. What is owed or saved moves mu by the larger of two steps: one in dollars, right where the curve
slopes, and one in the odds of mu, right where it is a cliff. The latter is the dual ascent of Balseiro, Lu and Mirrokni
("The best of many worlds: dual mirror descent for online allocation problems", 2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import UsageError
from tenbin.router.crossfit import DialCurve
from tenbin.store.period import DAY_S
from tenbin.types import Floats

HOURS = 24
SET_BACK_S = 3_600
"""A clock that was set back over midnight by so much or less opens no second yesterday."""
REPAY_REQUESTS = 50.0
"""What is owed or saved is made up for over so many requests; who owes so many budgets answers at the cheapest."""
MEMORY_REQUESTS = 5_000.0
"""Debts and savings fade over so many: nobody pays for last month's prices, or saves up for a spree."""
MOST_SAVED = 50.0
"""However much was saved, the next requests know of so many budgets only: savings do not become a spree."""
DEARER_REQUESTS = 50.0
"""Over so many of the latest answers it is seen how far bills are from what was expected of them ..."""
TRUST_BILLS = 20.0
"""... and at first expectations are believed as if so many bills had been as expected."""
HARDER_REQUESTS = 500.0
"""Over so many it is seen how much dearer the requests are than the training prompts ..."""
TRUST_PROMPTS = 200.0
"""... and at first the curve is believed as if so many requests had been like them."""
MOST_DEARER = 100.0
YESTERDAY_SHARE = 0.1
"""Former days' volume weighs as much as this share of a day of today's."""
LEAST_LEFT = 10.0
"""At the end of a day, what is left is not spent on fewer requests than this."""
MOST_STEP = 50.0

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

    `debt_usd` is spent less allowed per request, fading. Over the `seen` answers, `billed_usd` and `expected_usd` are
    sums that fade fast, of bills and of what the router had expected of these requests; `hard_usd` and `curve_usd` are
    sums that fade slowly, of what was expected and of what the curve says of their mu. `day` counts from 1970 in UTC,
    `day_usd` are its dollars, `hours` its requests by hour, `began` the share of the day gone at the first; `before` is
    the mean of `hours` over former days, the latest weighing most.
    """

    debt_usd: float = 0.0
    seen: float = 0.0
    billed_usd: float = 0.0
    expected_usd: float = 0.0
    hard_usd: float = 0.0
    curve_usd: float = 0.0
    day: int = 0
    day_usd: float = 0.0
    began: float = 1.0
    hours: tuple[float, ...] = _NO_HOURS
    before: tuple[float, ...] = _NO_HOURS


def paid(
    tally: Tally,
    budget: Budget,
    *,
    cost_usd: float,
    now: float,
    weighed: tuple[float, float] | None = None,
    is_request: bool = True,
) -> Tally:
    """After one more bill at `now` (Unix seconds).

    `weighed` is what the router had expected of the call and what the curve says of its mu, in dollars; None where it
    says nothing of either. A call that failed and was billed is no request of its own: its dollars count alone.
    """
    now = _gone_on(tally, now)
    tally = turned(tally, int(now // DAY_S))
    allowed = (budget.request_usd or 0.0) if is_request else 0.0
    debt = tally.debt_usd * (1.0 - is_request / MEMORY_REQUESTS) + cost_usd - allowed
    found = replace(tally, debt_usd=debt if budget.request_usd is not None else 0.0, day_usd=tally.day_usd + cost_usd)
    if weighed is not None and min(weighed) > 0.0:
        expected, curve = weighed
        fast, slow = 1.0 - 1.0 / DEARER_REQUESTS, 1.0 - 1.0 / HARDER_REQUESTS
        found = replace(
            found,
            seen=found.seen + 1.0,
            billed_usd=found.billed_usd * fast + cost_usd,
            expected_usd=found.expected_usd * fast + expected,
            hard_usd=found.hard_usd * slow + expected,
            curve_usd=found.curve_usd * slow + curve,
        )
    return _arrived(found, now, 1) if is_request else found


def promised(tally: Tally, budget: Budget, *, expected_usd: float, calls: int, now: float) -> Tally:
    """As if the calls that are under way had cost what the router expects of them, corrected as bills teach.

    Answers take seconds; all that is decided meanwhile would else know nothing of each other.
    """
    if not calls:
        return tally
    now = _gone_on(tally, now)
    tally, usd = turned(tally, int(now // DAY_S)), expected_usd * dearer(tally)
    debt = 0.0 if budget.request_usd is None else tally.debt_usd + usd - calls * budget.request_usd
    return _arrived(replace(tally, debt_usd=debt, day_usd=tally.day_usd + usd), now, calls)


def _arrived(tally: Tally, now: float, requests: int) -> Tally:
    share = (now % DAY_S) / DAY_S
    hours = list(tally.hours)
    hours[int(share * HOURS)] += requests
    return replace(tally, hours=tuple(hours), began=min(tally.began, share))


def _gone_on(tally: Tally, now: float) -> float:
    """The moment to go on from: midnight, where the tally's day had begun before the clock was set back a little.

    Yesterday would else begin again with nothing spent, and the rest of it be given all its dollars.
    """
    midnight = tally.day * DAY_S
    return midnight if midnight - SET_BACK_S <= now < midnight else now


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


def left_by(tally: Tally) -> Tally:
    """What counts of a worker that is gone: its dollars and requests of the day.

    Its debts, savings and evidence would never fade, since nobody goes on with them.
    """
    return Tally(day=tally.day, day_usd=tally.day_usd, began=tally.began, hours=tally.hours)


def together(tallies: Iterable[Tally], now: float) -> Tally:
    """The tally of all workers at `now` (Unix seconds), on the latest day that one of them has begun."""
    all_of = list(tallies)
    day = max((int(_gone_on(tally, now) // DAY_S) for tally in all_of), default=int(now // DAY_S))
    there = [turned(tally, day) for tally in all_of]
    return Tally(
        debt_usd=sum(t.debt_usd for t in there),
        seen=sum(t.seen for t in there),
        billed_usd=sum(t.billed_usd for t in there),
        expected_usd=sum(t.expected_usd for t in there),
        hard_usd=sum(t.hard_usd for t in there),
        curve_usd=sum(t.curve_usd for t in there),
        day=day,
        day_usd=sum(t.day_usd for t in there),
        began=min((t.began for t in there), default=1.0),
        hours=_summed([t.hours for t in there]),
        before=_summed([t.before for t in there]),
    )


def _summed(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*rows, strict=True)) if rows else _NO_HOURS


def dearer(tally: Tally) -> float:
    """How many times what was expected of them the latest answers cost; 1 where nothing is known."""
    return _ratio(tally.billed_usd, tally.expected_usd, tally.seen, TRUST_BILLS)


def harder(tally: Tally) -> float:
    """How many times dearer than the training prompts the requests are, at the same mu; 1 where nothing is known."""
    return _ratio(tally.hard_usd, tally.curve_usd, tally.seen, TRUST_PROMPTS)


def _ratio(found_usd: float, usual_usd: float, seen: float, trust: float) -> float:
    if usual_usd <= 0.0:
        return 1.0
    shrunk = (seen * found_usd / usual_usd + trust) / (seen + trust)
    return min(max(shrunk, 1.0 / MOST_DEARER), MOST_DEARER)


@dataclass(frozen=True, slots=True)
class Course:
    """How one budget stands: `rate_usd` is meant for a request, `debt_usd` was spent beyond that (below 0: saved).

    It is made up for over so many `requests`.
    """

    rate_usd: float
    debt_usd: float
    requests: float

    @property
    def target_usd(self) -> float:
        """The mean dollars that the next requests may cost."""
        return max(self.rate_usd - self.debt_usd / self.requests, 0.0)

    @property
    def log_odds_step(self) -> float:
        """By how much the logarithm of mu's odds is to rise."""
        step = self.debt_usd / (self.rate_usd * self.requests)
        return min(max(step, -MOST_STEP), MOST_STEP)


def courses(tally: Tally, budget: Budget, now: float) -> list[Course]:
    """How every part of the budget stands."""
    found = []
    if budget.request_usd is not None:
        debt = max(tally.debt_usd, -MOST_SAVED * budget.request_usd)
        found.append(Course(budget.request_usd, debt, REPAY_REQUESTS))
    if budget.day_usd is not None:
        now = _gone_on(tally, now)
        tally = turned(tally, int(now // DAY_S))
        left, come = max(requests_left(tally, now), LEAST_LEFT), sum(tally.hours)
        rate = budget.day_usd / (come + left)
        found.append(Course(rate, tally.day_usd - rate * come, left))
    return found


def requests_left(tally: Tally, now: float) -> float:
    """How many requests the rest of the tally's day (UTC) is expected to bring.

    Today's volume so far is carried on in the shape of former days, or evenly where there were none.
    """
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
    """A dial curve that can be read both ways: `mu` [K] rising to 1, `cost_usd` [K] falling.

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
        return float(np.interp(cost_usd, self.cost_usd[::-1], self.mu[::-1]))

    def cost_of(self, mu: float) -> float:
        """The mean cost of a mu."""
        return float(np.interp(mu, self.mu, self.cost_usd))


def paced_mu(tally: Tally, budget: Budget, curve: PaceCurve, now: float) -> float:
    """The mu of the next request, with the tally of all workers; the curve's least where there is no budget."""
    level = dearer(tally) * harder(tally)
    return max((_steered(course, curve, level) for course in courses(tally, budget, now)), default=float(curve.mu[0]))


def _steered(course: Course, curve: PaceCurve, level: float) -> float:
    """The mu that one budget asks for, where requests cost `level` times what the curve says."""
    in_dollars = curve.mu_of(course.target_usd / level)
    in_odds = _moved(curve.mu_of(course.rate_usd / level), course.log_odds_step)
    if course.debt_usd > 0.0:
        return max(in_dollars, in_odds)
    return max(min(in_dollars, in_odds), float(curve.mu[0]))


def _moved(mu: float, step: float) -> float:
    """The mu whose log-odds are higher by `step`; 0 and 1 stay."""
    odds = mu * math.exp(step)
    return odds / (1.0 - mu + odds)
