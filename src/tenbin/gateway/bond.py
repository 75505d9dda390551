"""What binds a conversation to a model: state that only its author can read, an open tool loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tenbin.gateway.incoming import Incoming
from tenbin.gateway.session import Session
from tenbin.upstream.destination import Destination, Dialect
from tenbin.upstream.translate import is_mid_tool_loop, state_in
from tenbin.upstream.translate.provider_state import OPEN_TOOL_CALLS, UNSIGNED_THINKING

Bars = Sequence[str | None]
BarOf = Callable[[Destination | None], str | None]


class Bond(msgspec.Struct, frozen=True):
    """What a conversation carries of one model.

    `author` is who answered last, None where nobody knows; what stands before `own_from` of the `length` messages was
    said by others, or shown to it without state. The newest models read thinking of their own only, not even that of
    their family, so state goes back to its very model or not at all. `is_signed` where some of it is proved to be its
    author's: thinking without a signature is another family's, and Anthropic refuses it. `is_open` inside a tool loop,
    where state cannot be left out; `is_fixed` where it can nowhere (/v1/responses, whose items refer to each other).
    `dialect` is the client's, and that of whoever wrote signed state, for it comes through no translation.
    """

    author: Destination | None
    has_state: bool
    is_open: bool
    is_signed: bool = False
    is_fixed: bool = False
    dialect: Dialect = "openai"
    length: int = 0
    own_from: int = 0

    def strips_before(self, destination: Destination) -> int:
        """How many messages, from the first on, this candidate gets without their state."""
        may_be_its_own = self.is_signed or self.dialect == "openai"  # where nobody signs
        if self.author is None and self.is_open and may_be_its_own and destination.dialect == self.dialect:
            return 0  # perhaps it is the author: without its thinking an open loop would be refused
        if not self.has_state or self.is_fixed:
            return 0
        return self.own_from if self._is_author(destination) else self.length

    def bars(self, destinations: Sequence[Destination | None], barred: Bars) -> Bars:
        """The bars with those that the bond adds: inside a tool loop nobody else takes over, with encrypted reasoning
        that cannot be left out no other family.
        """
        if self.is_fixed and self.is_signed and not self.is_open:
            return self._with(destinations, barred, self._family_bar)
        if not (self.is_open and self.has_state and (self.is_signed or self.author is not None)):
            return barred
        return self._with(destinations, barred, self._bar)

    def _with(self, destinations: Sequence[Destination | None], barred: Bars, bar_of: BarOf) -> Bars:
        bound = [bar or bar_of(destination) for destination, bar in zip(destinations, barred, strict=True)]
        # Where the author is not to be had, the conversation goes on with a stranger rather than not at all.
        return bound if None in bound else barred

    def _family_bar(self, destination: Destination | None) -> str | None:
        author = self.author
        if destination is None or author is None or destination.family == author.family:
            return None
        return f"the conversation carries encrypted reasoning of {author.candidate.name}"

    def _is_author(self, destination: Destination) -> bool:
        author = self.author
        return author is not None and (author.family, author.model) == (destination.family, destination.model)

    def _bar(self, destination: Destination | None) -> str | None:
        if destination is None:
            return None
        if self.author is None:
            is_possible = destination.dialect == self.dialect
            return None if is_possible else "the open tool loop carries another model's thinking"
        return None if self._is_author(destination) else f"the open tool loop belongs to {self.author.candidate.name}"


UNBOUND = Bond(None, has_state=False, is_open=False)
"""What most conversations carry: nothing."""


def bond_of(incoming: Incoming, session: Session | None, destinations: Mapping[str, Destination]) -> Bond:
    """The bond of a request: state found in its messages, and who answered last, where that is known."""
    state = state_in(incoming.messages, incoming.dialect)
    if not state:
        return UNBOUND
    if session is not None and not session.wrote_last(incoming.messages):
        session = None
    author = None if session is None else destinations.get(session.candidate)
    return Bond(
        author=author,
        has_state=author is not None or bool(state - {OPEN_TOOL_CALLS}),
        is_open=is_mid_tool_loop(incoming.messages),
        is_signed=bool(state - {OPEN_TOOL_CALLS, UNSIGNED_THINKING}),
        is_fixed=incoming.endpoint == "responses",
        dialect=incoming.dialect,
        length=len(incoming.messages),
        own_from=0 if session is None else session.own_from,
    )
