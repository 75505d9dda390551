"""Whether a profile keeps its SLA; when it does not, it retreats to its reference until somebody says otherwise.

Pure: a watch is a value, every function returns the next one. Quality and availability are means of values in [0, 1],
and a mean below what was promised may be bad luck. Hoeffding's inequality in its Kullback-Leibler form ("Probability
inequalities for sums of bounded random variables", JASA 1963, theorem 1) bounds that: where the true mean is the
promise p or better, n independent values have a mean of x < p or less with a chance of at most exp(-n KL(x || p)),
whatever their distribution. The watch alarms where that chance is below CHANCE at this very look; summed over the
looks, fewer than one in 100 runs of 1,000 labels alarms falsely though the true mean is exactly the promise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import Literal

from tenbin.store.period import DAY_S

CHANCE = 1e-5
LEAST = 30
"""Fewer labels or requests than this prove nothing."""

Reason = Literal["quality", "availability", "spend"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What is watched; None is not.

    `min_quality` is a mean quality in [0, 1] (the SLA's share times the reference's mean), `availability` the share of
    requests answered, `max_spend_usd` the dollars of one day in UTC.
    """

    min_quality: float | None = None
    availability: float | None = None
    max_spend_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The sum of the latest values, kept in blocks: when `most` blocks are full, the oldest is forgotten whole."""

    block: int
    most: int
    full: tuple[float, ...] = ()
    count: int = 0
    total: float = 0.0

    @property
    def n(self) -> int:
        """How many values are in it."""
        return len(self.full) * self.block + self.count

    @property
    def mean(self) -> float:
        """Their mean; there must be one."""
        return self.sum / self.n

    def add(self, value: float) -> Window:
        """The window with one more value."""
        count, total = self.count + 1, self.total + value
        if count < self.block:
            return replace(self, count=count, total=total)
        return replace(self, full=(*self.full, total)[-self.most :], count=0, total=0.0)

    @property
    def sum(self) -> float:
        """The sum of them."""
        return sum(self.full) + self.total

    def holding(self, seen: Seen) -> Window:
        """A window of this size with as many of the values seen as it holds, all alike: their order is not known."""
        n = min(seen.n, self.block * self.most)
        if not n:
            return self.emptied()
        full, count = divmod(n, self.block)
        return Window(self.block, self.most, (seen.mean * self.block,) * full, count, seen.mean * count)

    def emptied(self) -> Window:
        """A window of this size without values."""
        return Window(self.block, self.most)


@dataclass(frozen=True, slots=True)
class Seen:
    """How many values were seen, and their sum."""

    n: int = 0
    sum: float = 0.0

    @property
    def mean(self) -> float:
        """Their mean; there must be one."""
        return self.sum / self.n


@dataclass(frozen=True, slots=True)
class Others:
    """What other workers, or this one before a restart, have seen of a profile, as far as is known here."""

    qualities: Seen = Seen()
    answers: Seen = Seen()


@dataclass(frozen=True, slots=True)
class Retreat:
    """Why a profile serves its reference only, in a word and in a sentence, and since when (Unix seconds)."""

    reason: Reason
    sentence: str
    since: float


@dataclass(frozen=True, slots=True)
class Watch:
    """One profile under watch; `retreat` None while all is well.

    `qualities` holds the latest 500 labels, `answers` the latest 2,000 requests (1 answered, 0 failed), `spent_usd`
    the dollars of `day` (days since 1970, UTC). `excused_day` is the day whose overspending somebody has waved through.
    Several workers have windows of their part of that, and know what the `others` have seen.
    """

    promise: Promise
    retreat: Retreat | None = None
    qualities: Window = Window(25, 20)
    answers: Window = Window(100, 20)
    day: int = 0
    spent_usd: float = 0.0
    excused_day: int | None = None
    others: Others = Others()


def watched(promise: Promise, workers: int) -> Watch:
    """The watch of one of so many workers."""
    watch = Watch(promise)
    qualities, answers = (
        replace(window, most=max(window.most // workers, 2)) for window in (watch.qualities, watch.answers)
    )
    return replace(watch, qualities=qualities, answers=answers)


def labelled(watch: Watch, quality: float, now: float) -> Watch:
    """After one more observed quality in [0, 1]; labels of answers given in retreat say nothing of the profile."""
    floor = watch.promise.min_quality
    if floor is None or watch.retreat is not None:
        return watch
    watch = replace(watch, qualities=watch.qualities.add(quality))
    seen = _together(watch.qualities, watch.others.qualities)
    if not is_below(seen, floor):
        return watch
    sentence = f"mean quality {seen.mean:.3f} over the last {seen.n} labels, promised {floor:.3f}"
    return replace(watch, retreat=Retreat("quality", sentence, now))


def finished(watch: Watch, answered: bool, now: float) -> Watch:
    """After one more request, answered or failed; a refused request (a client's fault) is no event."""
    share = watch.promise.availability
    if share is None or watch.retreat is not None:
        return watch
    watch = replace(watch, answers=watch.answers.add(float(answered)))
    seen = _together(watch.answers, watch.others.answers)
    if answered or not is_below(seen, share):
        return watch
    sentence = f"{seen.mean:.2%} of the last {seen.n} requests answered, promised {share:.2%}"
    return replace(watch, retreat=Retreat("availability", sentence, now))


def spent_today(watch: Watch, total_usd: float, now: float) -> Watch:
    """With the dollars of today as the ledger knows them, which all workers spend."""
    watch = replace(watch, day=int(now // DAY_S), spent_usd=total_usd)
    most = watch.promise.max_spend_usd
    if most is None or watch.retreat is not None or total_usd <= most or watch.excused_day == watch.day:
        return watch
    sentence = f"{total_usd:.2f} dollars spent today (UTC), promised at most {most:.2f}"
    return replace(watch, retreat=Retreat("spend", sentence, now))


def resumed(watch: Watch, now: float) -> Watch:
    """After somebody said to go on: with windows afresh, and today's overspending waved through if that was it.

    Of a retreat that began on a day before, nothing of today is waved through but what is overspent already.
    """
    retreat, most, day = watch.retreat, watch.promise.max_spend_usd, int(now // DAY_S)
    if retreat is None:
        return watch
    is_over = most is not None and watch.day == day and watch.spent_usd > most
    is_excused = retreat.reason == "spend" and (is_over or int(retreat.since // DAY_S) == day)
    excused = day if is_excused else watch.excused_day
    return replace(emptied(watch), retreat=None, excused_day=excused)


def emptied(watch: Watch) -> Watch:
    """The watch with windows afresh."""
    return replace(watch, qualities=watch.qualities.emptied(), answers=watch.answers.emptied(), others=Others())


def restored(watch: Watch, before: Others) -> Watch:
    """The watch with what its worker had seen before a restart, if nothing has been seen since."""
    if watch.qualities.n or watch.answers.n or watch.retreat is not None:
        return watch
    qualities, answers = watch.qualities.holding(before.qualities), watch.answers.holding(before.answers)
    return replace(watch, qualities=qualities, answers=answers)


def _together(own: Window, others: Seen) -> Seen:
    return Seen(own.n + others.n, own.sum + others.sum)


def is_below(window: Window | Seen, promised: float) -> bool:
    """Whether the mean is so far below the promise that chance alone makes it so with less than CHANCE."""
    n = window.n
    if n < LEAST or promised <= 0.0:
        return False
    mean = window.mean
    if mean >= promised:
        return False
    if promised >= 1.0:
        return True
    return n * _divergence(mean, promised) > -log(CHANCE)


def _divergence(x: float, p: float) -> float:
    """KL(x || p) of two coins, in nats; x in [0, 1], p strictly inside."""
    low = x * log(x / p) if x > 0.0 else 0.0
    high = (1.0 - x) * log((1.0 - x) / (1.0 - p)) if x < 1.0 else 0.0
    return low + high
