"""What one worker holds of one key's budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from tenbin.store.keys import KeyRecord
from tenbin.store.leases import Holding, Refusal
from tenbin.store.period import Period, day_of, month_of
from tenbin.store.share import Share, has_room, reserve, settle

KNOWN_PERIODS = 6
"""Of the latest periods; who spent a day's budget has spent it, though the clock was a year ahead meanwhile."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget as far as this worker knows: dollars allowed, dollars used here, when it begins anew (Unix seconds).

    `refusal` is why it gave nothing when it was last asked.
    """

    period: Literal["day", "month"]
    budget_usd: float
    used_usd: float
    refusal: Refusal | None
    resets_at: float


class Slot:
    """A share that changes; reservations keep hold of theirs, so that they settle where they were made."""

    __slots__ = ("budget_usd", "is_touched", "period", "refusal", "share")

    def __init__(self, period: Period, budget_usd: float, workers: int) -> None:
        self.period = period
        self.budget_usd = budget_usd
        self.share = Share(offline_fence=budget_usd / workers)
        self.is_touched = False
        self.refusal: Refusal | None = None


class Reservation:
    """What is set aside for one call, until it is settled."""

    __slots__ = ("account", "is_settled", "slots", "usd")

    def __init__(self, usd: float, slots: Sequence[Slot], account: Account | None = None) -> None:
        self.usd = usd
        self.slots = slots
        self.account = account
        self.is_settled = False

    def settle(self, usd: float) -> None:
        """Put the truth in the place of the reserve, once."""
        if self.is_settled:
            return
        self.is_settled = True
        for slot in self.slots:
            slot.share = settle(slot.share, self.usd, usd)
        if self.account is not None and usd < self.usd:
            self.account.refused_until = 0.0


class Account:
    """The shares of a key's budgets for the periods of now; `lock` is held while the ledger is asked."""

    def __init__(self, key: KeyRecord, now: float, workers: int) -> None:
        self.key = key
        self.workers = workers
        self.lock = asyncio.Lock()
        self.refused_until = 0.0
        self.is_unsure = False
        """Whether the ledger was asked and nobody heard what it granted: who asked has left meanwhile."""
        self.slots: tuple[Slot, ...] = ()
        self._known: dict[str, Slot] = {}
        self._ends_at = 0.0
        self._starts_at = 0.0
        self.turn(now)

    def turn(self, now: float) -> None:
        """Begin new shares where a period has ended."""
        if self._starts_at <= now < self._ends_at:
            return
        budgets = ((day_of(now), self.key.day_usd), (month_of(now), self.key.month_usd))
        self.slots = tuple(self._slot(period, usd) for period, usd in budgets if usd is not None)
        self._starts_at, self._ends_at = budgets[0][0].starts_at, budgets[0][0].ends_at
        self.refused_until = 0.0

    def _slot(self, period: Period, usd: float) -> Slot:
        """The share of a period, as it was left where the clock has been there before."""
        slot = self._known.pop(period.name) if period.name in self._known else Slot(period, usd, self.workers)
        self._known[period.name] = slot
        if len(self._known) > KNOWN_PERIODS:  # the one that was left longest ago: a month in use outlives its days
            del self._known[next(iter(self._known))]
        return slot

    def has_room(self, usd: float) -> bool:
        """Whether every share has room without asking."""
        for slot in self.slots:  # noqa: SIM110 (asked for every request: a generator takes twice as long)
            if not has_room(slot.share, usd):
                return False
        return True

    def goes_on_alone(self) -> bool:
        """Whether this worker may go on while nobody can be asked."""
        return all(slot.share.used < slot.share.offline_fence for slot in self.slots)

    def reserve(self, usd: float) -> Reservation:
        """Take a reserve from every share."""
        for slot in self.slots:
            slot.share = reserve(slot.share, usd)
            slot.is_touched = True
        return Reservation(usd, self.slots, self)

    def holdings(self) -> list[Holding]:
        """The shares as they are now, for the ledger; `take` says what it made of them."""
        self.is_unsure = True
        return [Holding(self.key.key_id, slot.period, slot.budget_usd, slot.share) for slot in self.slots]

    def take(self, held: Sequence[Holding], shares: Sequence[Share], refusals: Sequence[Refusal | None]) -> None:
        """Go on with what the ledger has granted on `held`; what was settled meanwhile stays settled."""
        self.is_unsure = False
        slots = {slot.period.name: slot for slot in self.slots}
        for holding, share, refusal in zip(held, shares, refusals, strict=True):
            slot = slots.get(holding.period.name)
            if slot is not None:
                slot.share = replace(share, used=slot.share.used)
                slot.refusal = refusal

    def wants_tending(self) -> bool:
        """Whether others may see another share than is held here, or one has lain idle since the last look."""
        wants = self.is_unsure
        for slot in self.slots:
            is_idle = not slot.is_touched and slot.share.granted > slot.share.used
            wants = wants or is_idle or slot.share.used > slot.share.granted
            slot.is_touched = False
        return wants

    def standing(self) -> tuple[Standing, ...]:
        """How the budgets stand, as far as it is known here."""
        return tuple(
            Standing(slot.period.kind, slot.budget_usd, slot.share.used, slot.refusal, slot.period.ends_at)
            for slot in self.slots
        )
