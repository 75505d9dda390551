"""Where a pilot stands: what its journal says is bought, graded, given up and spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tenbin.pilot.pair import Key
from tenbin.pilot.records import Begun, Bought, Failed, Graded, Record


@dataclass(slots=True)
class Standing:
    """The sums over a journal's records, taken in their order; small whatever the answers are long.

    `bought` and `given_up` (failed for good) are pairs; `grades` holds the last grade of each (pair, round), without
    its details. `open_calls` are those that have begun and not ended: after a crash nobody knows what they cost, so
    their reserve stays counted.
    """

    bought: set[Key] = field(default_factory=set)
    given_up: set[Key] = field(default_factory=set)
    grades: dict[tuple[Key, int], Graded] = field(default_factory=dict)
    open_calls: dict[str, Begun] = field(default_factory=dict)
    settled_usd: float = 0.0

    @classmethod
    def of(cls, records: Iterable[Record]) -> Standing:
        """The standing after these records."""
        standing = cls()
        for record in records:
            standing.take(record)
        return standing

    @property
    def unknown_usd(self) -> float:
        """What the calls without an end are counted at, at most what they cost."""
        return sum(begun.reserve_usd for begun in self.open_calls.values())

    @property
    def spent_usd(self) -> float:
        """What counts against the budget: every cost that was booked, and the reserve of what has no end."""
        return self.settled_usd + self.unknown_usd

    def take(self, record: Record) -> None:
        """Add one record."""
        key = record.query_id, record.model, record.repeat
        match record:
            case Begun():
                self.open_calls[record.call_id] = record
            case Bought():
                self._settle(record.call_id, record.cost_usd + record.held_usd)
                self.bought.add(key)
            case Failed():
                self._settle(record.call_id, record.cost_usd)
                if record.is_final and record.purpose == "answer":
                    self.given_up.add(key)
            case Graded():
                self._settle(record.call_id, record.cost_usd)
                self.grades[key, record.round] = record
            case _:
                pass

    def _settle(self, call_id: str | None, cost_usd: float) -> None:
        if call_id is not None:
            self.open_calls.pop(call_id, None)
        self.settled_usd += cost_usd
