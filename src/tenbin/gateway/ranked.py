"""The attempts of a weighed request, each made when it is first looked at: most requests only ever need the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from tenbin.gateway.bond import Bond
from tenbin.gateway.plan import Attempt
from tenbin.gateway.snapshot import ServedProfile
from tenbin.router.weighing import Weighed


class Ranked(Sequence[Attempt]):
    """The failover plan in the order of the ranking; the barred are not in it, so each has a destination."""

    __slots__ = ("_bond", "_made", "_served", "_weighed")

    def __init__(self, served: ServedProfile, weighed: Weighed, bond: Bond) -> None:
        self._served = served
        self._weighed = weighed
        self._bond = bond
        self._made: dict[int, Attempt] = {}

    def __len__(self) -> int:
        return len(self._weighed.ranking)

    @overload
    def __getitem__(self, place: int) -> Attempt: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Attempt]: ...
    def __getitem__(self, place: int | slice) -> Attempt | Sequence[Attempt]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = self._attempt(self._weighed.ranking[place])
        return made

    def _attempt(self, m: int) -> Attempt:
        weighed = self._weighed
        destination = self._served.destinations[m]
        if destination is None:
            raise LookupError(f"{weighed.models[m]} is barred and yet in the ranking")
        return Attempt(
            destination,
            weighed.input_tokens.item(m),
            weighed.output_tokens.item(m),
            weighed.quality.item(m),
            weighed.cost_usd.item(m),
            self._bond.strips_before(destination),
        )
