"""The right to make one call to a candidate: a slot of its own, and a word to its breaker on how the call ended."""

from __future__ import annotations

from tenbin.gateway.breakers import Breakers
from tenbin.gateway.limits import Slots


class Seat:
    """Taken in the same step in which the breaker admits, so that only one probe goes out; `leave` it in any case.

    A seat that is left without a word of success or failure says nothing of the candidate.
    """

    __slots__ = ("_breakers", "_epoch", "_has_told", "_name", "_slots")

    def __init__(self, breakers: Breakers, name: str, epoch: int, slots: Slots) -> None:
        self._breakers = breakers
        self._name = name
        self._epoch = epoch
        self._slots = slots
        self._has_told = False

    def spoke(self) -> None:
        """The candidate answers: nobody need wait for the end of a long stream to know that it is back."""
        self._breakers.spoke(self._name, self._epoch)

    def succeeded(self) -> None:
        """The candidate answered."""
        self._has_told = True
        self._breakers.succeeded(self._name, self._epoch)

    def failed(self, retry_after_s: float | None) -> None:
        """The candidate failed through its own fault."""
        self._has_told = True
        self._breakers.failed(self._name, self._epoch, retry_after_s)

    def leave(self) -> None:
        """Give the slot back."""
        self._slots.give()
        if not self._has_told:
            self._breakers.abandoned(self._name, self._epoch)
