"""What binds a conversation to a family of models: state that only its author can read, an open tool loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenbin.gateway.incoming import Incoming
from tenbin.gateway.session import Session
from tenbin.upstream.destination import Destination
from tenbin.upstream.translate import is_mid_tool_loop, state_in

Bars = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Bond:
    """What a conversation carries of one family.

    `family` None: nobody knows whose it is. `is_open` inside a tool loop, where the state cannot be left out.
    """

    family: str | None
    has_state: bool
    is_open: bool

    def strips(self, destination: Destination) -> bool:
        """Whether this candidate gets the conversation without its state."""
        return self.has_state and not self.is_open and destination.family != self.family

    def bars(self, destinations: Sequence[Destination | None], barred: Bars) -> Bars:
        """The bars with those that the bond adds: inside a tool loop nobody of another family takes over."""
        if not (self.is_open and self.has_state):
            return barred
        bound = [bar or self._bar(destination) for destination, bar in zip(destinations, barred, strict=True)]
        # Where nobody of the family is left, the loop goes on with a stranger rather than not at all.
        return bound if None in bound else barred

    def _bar(self, destination: Destination | None) -> str | None:
        if destination is None:
            return None
        if self.family is None:
            return None if destination.dialect == "anthropic" else "the tool loop carries thinking of another family"
        return None if destination.family == self.family else f"the tool loop belongs to {self.family}"


def bond_of(incoming: Incoming, session: Session | None, destinations: Mapping[str, Destination]) -> Bond:
    """The bond of a request: state found in its messages, and the family of who answered last, where that is known."""
    state = state_in(incoming.messages, incoming.dialect)
    if not state:
        return Bond(None, has_state=False, is_open=False)
    incumbent = None if session is None else destinations.get(session.candidate)
    return Bond(
        family=None if incumbent is None else incumbent.family,
        has_state=incumbent is not None or bool(state - {"open_tool_calls"}),
        is_open=is_mid_tool_loop(incoming.messages),
    )
