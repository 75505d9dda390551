"""The budgets of profiles that the dial is turned to keep: every worker's spend, put together a few times a minute."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeGuard

from tenbin.config import Profile
from tenbin.gateway.snapshot import ServedProfile
from tenbin.router.pacer import HOURS, Budget, PaceCurve, Tally, left_by, paced_mu, paid, promised, together
from tenbin.store.marks import Marks
from tenbin.store.place import Place

KIND = "pacing"
HOLD_S = 0.02
"""A mu holds so long where nothing is begun or billed meanwhile."""
_FIGURES = tuple(field.name for field in fields(Tally) if field.name not in ("hours", "before"))
AT = "@"
"""Between profile and place in a mark's name; no profile has it in its own."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The mu that keeps a budget now; `is_floor`: the profile's dial decides wherever its own mu is larger."""

    mu: float
    is_floor: bool
    budget: Budget

    def mu_of(self, mu: float, *, is_asked: bool) -> float:
        """The mu of a request whose dial says `mu`; `is_asked`: the request turned the dial itself."""
        return max(mu, self.mu) if self.is_floor or is_asked else self.mu

    @property
    def sentence(self) -> str:
        """What the mu keeps, in words."""
        budgets = ((self.budget.request_usd, "a request"), (self.budget.day_usd, "a day"))
        return f"mu {self.mu:.4g} keeps " + " and ".join(f"${usd:g} {per}" for usd, per in budgets if usd is not None)


class _Kept:
    """One budget that is kept: its curve, what was spent here and by the others, the pace of this moment.

    `under_way` are the dollars expected of the calls of this worker that have no bill yet. Until `is_read`, what this
    place had marked before is not in `own`.
    """

    __slots__ = ("budget", "curve", "held_until", "is_read", "others", "own", "pace", "under_way", "written")

    def __init__(self, budget: Budget, curve: PaceCurve, own: Tally) -> None:
        self.budget = budget
        self.curve = curve
        self.own = own
        self.others = Tally()
        self.under_way: dict[Hashable, float] = {}
        self.written: Tally | None = None
        self.is_read = False
        self.pace: Pace | None = None
        self.held_until = -math.inf


class Pacers:
    """One pacer per profile with a budget. Workers mark in the store what they have spent, and read each other's.

    A restarted worker goes on with the mark of its place, and so does a budget that was taken away and came back.
    Belongs to the event loop, but for `share`, which blocks.
    """

    def __init__(self, marks: Marks, place: Place) -> None:
        self._marks = marks
        self._place = place
        self._kept: dict[str, _Kept] = {}
        self.log = logging.getLogger("tenbin.gateway.pacing")

    def watch(self, profiles: Mapping[str, ServedProfile]) -> None:
        """Keep these profiles' budgets, and no others; a reload, of prices too, goes on with what was spent."""
        kept = {}
        for name, served in profiles.items():
            budget = budget_of(served.profile)
            if budget is None or served.pace_curve is None:
                continue
            old = self._kept.get(name)
            new = kept[name] = _Kept(budget, served.pace_curve, Tally() if old is None else old.own)
            if old is not None:
                new.others, new.under_way, new.is_read = old.others, old.under_way, old.is_read
                if old.budget.request_usd != budget.request_usd:  # a debt is owed to the budget that made it
                    new.own, new.others = replace(old.own, debt_usd=0.0), replace(old.others, debt_usd=0.0)
        self._kept = kept

    def of(self, profile: str) -> Pace | None:
        """The pace of a profile, None where it has no budget."""
        kept = self._kept.get(profile)
        if kept is None:
            return None
        now = time.time()
        if kept.pace is None or not now <= kept.held_until <= now + HOLD_S:
            tally = together((kept.own, kept.others), now)
            usd, calls = sum(kept.under_way.values()), len(kept.under_way)
            tally = promised(tally, kept.budget, expected_usd=usd, calls=calls, now=now)
            mu = paced_mu(tally, kept.budget, kept.curve, now)
            kept.pace = Pace(mu, kept.budget.request_usd is None, kept.budget)
            kept.held_until = now + HOLD_S
        return kept.pace

    def began(self, profile: str, call: Hashable, expected_usd: float | None) -> None:
        """A call of a profile is under way, and expected to cost so much (None: nobody knows) until it is billed."""
        kept = self._kept.get(profile)
        if kept is not None and expected_usd is not None and expected_usd >= 0.0:
            kept.under_way[call] = expected_usd
            kept.pace = None

    def paid(self, profile: str, call: Hashable, *, cost_usd: float, mu: float | None, is_request: bool) -> None:
        """A call of a profile was billed; `mu` is what it was decided with (None: its bill teaches nothing)."""
        kept = self._kept.get(profile)
        if kept is None:
            return
        expected = kept.under_way.pop(call, None)
        weighed = None if mu is None or expected is None else (expected, kept.curve.cost_of(mu))
        kept.own = paid(
            kept.own, kept.budget, cost_usd=cost_usd, weighed=weighed, is_request=is_request, now=time.time()
        )
        kept.pace = None

    def states(self) -> dict[str, Pace]:
        """Every profile's pace."""
        return {name: pace for name in self._kept if (pace := self.of(name)) is not None}

    def share(self) -> dict[str, tuple[Tally, Tally]]:
        """Mark what was spent here, read what the others marked: own and others' tally by profile, for `adopt`.

        A mark of one's own is written over only after it was read. Errors: StoreError.
        """
        kept, place = dict(self._kept), self._place.number
        for name, one in kept.items():
            own = one.own
            if one.is_read and own is not one.written:
                self._marks.put(f"{name}{AT}{place}", {**asdict(own), "request_usd": one.budget.request_usd})
                one.written = own
        there = self._place.taken()
        found: dict[str, dict[int, Tally]] = {name: {} for name in kept}
        for mark, content in self._marks.all().items():
            name, _, number = mark.rpartition(AT)
            if name in found and number.isdecimal():
                tally = tally_of(content, kept[name].budget)
                found[name][int(number)] = tally if int(number) in there else left_by(tally)
        now = time.time()
        return {name: (tallies.pop(place, Tally()), together(tallies.values(), now)) for name, tallies in found.items()}

    def adopt(self, shared: Mapping[str, tuple[Tally, Tally]]) -> None:
        """Go on with what the others have spent; after the first look with one's own spend before it, too."""
        for name, (own, others) in shared.items():
            if (kept := self._kept.get(name)) is not None:
                kept.others = others
                if not kept.is_read:
                    kept.own, kept.is_read = together((own, kept.own), time.time()), True


def budget_of(profile: Profile) -> Budget | None:
    """What a profile's dial is turned to keep; None where it has no budget."""
    if profile.max_cost_usd is None and profile.day_budget_usd is None:
        return None
    return Budget(profile.max_cost_usd, profile.day_budget_usd)


def tally_of(mark: Mapping[str, Any], budget: Budget) -> Tally:
    """The tally of a mark; a damaged one counts as nothing spent, a debt to another budget as none."""
    figures: dict[str, Any] = {name: mark.get(name) for name in _FIGURES}
    hours, before = mark.get("hours"), mark.get("before")
    if not (_are_numbers(list(figures.values())) and _are_hours(hours) and _are_hours(before)):
        return Tally()
    figures["day"] = int(figures["day"])
    tally = Tally(**figures, hours=tuple(hours), before=tuple(before))
    return tally if mark.get("request_usd") == budget.request_usd else replace(tally, debt_usd=0.0)


def _are_hours(value: object) -> TypeGuard[list[float]]:
    return _are_numbers(value) and len(value) == HOURS


def _are_numbers(values: object) -> TypeGuard[list[float]]:
    return isinstance(values, list) and all(isinstance(v, int | float) and math.isfinite(v) for v in values)
