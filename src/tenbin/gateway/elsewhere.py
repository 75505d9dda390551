"""A conversation that comes over from another worker, or from before a restart: who answered its last turn there.

Asked only where the memory of this worker does not have that turn, and where it bears on the decision: a prompt that is
long enough to be cached, or state that only its author can read. Alone, a worker asks until it has read on to the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tenbin.errors import StoreError
from tenbin.gateway.incoming import Incoming
from tenbin.gateway.session import MIN_CACHED_TOKENS, Fingerprints, Session, Sessions
from tenbin.store.place import Place
from tenbin.store.reader import Turn
from tenbin.store.turns import Turns
from tenbin.types import Message
from tenbin.upstream.translate import is_mid_tool_loop, state_in
from tenbin.upstream.translate.provider_state import OPEN_TOOL_CALLS

MENDED_S = 5.0
"""After so long what a dead worker left in its journal is in the ledger."""
UNDER_WAY_S = (0.1, 0.2, 0.4)
"""Between looks for a row that must be on its way."""
PATIENCE_S, OUTAGE_S = 0.5, 2.0
"""A ledger that does not answer for so long is not asked again for so long: a request is worth more than its cache."""


class Elsewhere:
    """Looks for sessions where the ledger has them; `is_shared`: other workers serve the same. Belongs to the loop."""

    def __init__(self, turns: Turns, sessions: Sessions, place: Place, *, is_shared: bool) -> None:
        self._turns = turns
        self._sessions = sessions
        self._place = place
        self._is_shared = is_shared
        self._company_at = time.monotonic()
        self._asked_at = self._away_until = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, incoming: Incoming, prints: Fingerprints, known: Session | None, now: float) -> Session | None:
        """The session of a request of which this worker knows `known`: that, or what the ledger has of a later turn."""
        if not self._may_differ(now) and not self._turns:
            return known
        messages = incoming.messages
        if known is not None and known.wrote_last(messages):
            return known
        names = _names(prints, messages)
        if not names or (not self._may_differ(now) and not self._turns.knows(names)):
            return known
        state = state_in(messages, incoming.dialect)
        if not state and incoming.sent_tokens(incoming.model) < MIN_CACHED_TOKENS:
            return known
        is_bound = bool(state - {OPEN_TOOL_CALLS}) and is_mid_tool_loop(messages)
        found = await self._looked_for(names, is_bound=is_bound)
        if found is None:
            return known
        name, turn = found
        age_s = max(time.time() - turn.at, 0.0)
        session = Session(turn.candidate, turn.input_tokens, now - age_s, turn.strips_before, names[name])
        self._sessions.remember(Fingerprints(name, ()), session)
        return session

    def _may_differ(self, now: float) -> bool:
        """Whether the ledger may have more than was read of it: somebody else writes there, or did a moment ago."""
        if self._is_shared or self._place.has_company:
            self._company_at = now
        return self._asked_at < self._company_at + MENDED_S

    async def _looked_for(self, names: dict[str, int], *, is_bound: bool) -> tuple[str, Turn] | None:
        """The turn; waits a moment for one whose end is on its way, and where nobody else may go on, for any."""
        for wait_s in (*UNDER_WAY_S, 0.0):
            found = await self._asked(list(names))
            is_coming = is_bound if found is None else not found[1].is_settled
            if not is_coming or not wait_s or time.monotonic() < self._away_until:
                break
            await asyncio.sleep(wait_s)
        return found

    async def _asked(self, names: Sequence[str]) -> tuple[str, Turn] | None:
        async with self._asking:  # one thread at most waits for a disk that hangs
            now = time.monotonic()
            if now < self._away_until:
                return None
            try:
                found = await asyncio.wait_for(asyncio.to_thread(self._turns.find, names), PATIENCE_S)
            except (StoreError, TimeoutError):
                self._away_until = time.monotonic() + OUTAGE_S
                return None
            self._asked_at = now
            return found


def _names(prints: Fingerprints, messages: Sequence[Message]) -> dict[str, int]:
    """The names of this request and of the turn whose answer is the last one here, with how many messages each had.

    Empty where nothing was answered yet.
    """
    end = len(messages)
    while end and not _is_answer(messages[end - 1]):
        end -= 1
    while end and _is_answer(messages[end - 1]):
        end -= 1
    place = len(messages) - 1 - end
    if not end or place >= len(prints.earlier):
        return {}
    return {prints.own: len(messages), prints.earlier[place]: end}


def _is_answer(message: Message) -> bool:
    return str(message.get("role")) == "assistant"
