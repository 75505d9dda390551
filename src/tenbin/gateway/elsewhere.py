"""A conversation that comes over from another worker, or from before a restart: who answered its last turn there.

Asked only where the memory of this worker does not have that turn, and where it bears on the decision: a prompt that is
long enough to be cached, or state that only its author can read. Alone, a worker asks until it has read on to the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tenbin.errors import StoreError
from tenbin.gateway.incoming import BYTES_PER_TOKEN, Incoming
from tenbin.gateway.session import MIN_CACHED_TOKENS, Fingerprints, Session, Sessions
from tenbin.store.place import Place
from tenbin.store.reader import Turn
from tenbin.store.turns import Turns
from tenbin.types import Message
from tenbin.upstream.translate import state_in
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
        may_differ = self._may_differ(now)
        if not may_differ and not self._turns:
            return known
        messages = incoming.messages
        if known is not None and known.wrote_last(messages):
            return known
        length = _answered(messages)
        place = len(messages) - 1 - length
        name = prints.earlier[place] if length and place < len(prints.earlier) else None
        if name is None or not (may_differ or self._turns.knows(name)):
            return known
        turn = await self._looked_for(name, incoming)
        if turn is None:
            return known
        tokens = turn.input_tokens if turn.is_settled else _tokens(incoming, length)
        age_s = max(time.time() - turn.at, 0.0)
        session = Session(turn.candidate, tokens, now - age_s, turn.strips_before, length)
        if turn.is_settled:
            self._sessions.remember(Fingerprints(name, ()), session)
        return session

    def _may_differ(self, now: float) -> bool:
        """Whether the ledger may have more than was read of it: somebody else writes there, or did a moment ago."""
        if self._is_shared or self._place.has_company:
            self._company_at = now
        return self._asked_at < self._company_at + MENDED_S

    async def _looked_for(self, name: str, incoming: Incoming) -> Turn | None:
        """The turn, where it bears on the decision.

        Of what only its author can read the author must be known for certain: that waits for rows on their way, for any
        inside a tool loop, which nobody else may go on with.
        """
        state = state_in(incoming.messages, incoming.dialect)
        if not state and incoming.sent_tokens(incoming.model) < MIN_CACHED_TOKENS:
            return None
        has_thought, is_open = bool(state - {OPEN_TOOL_CALLS}), OPEN_TOOL_CALLS in state
        for wait_s in (*UNDER_WAY_S, 0.0):
            found = await self._asked(name)
            is_coming = has_thought and (is_open if found is None else not found.is_settled)
            if not is_coming or not wait_s or time.monotonic() < self._away_until:
                break
            await asyncio.sleep(wait_s)
        return found

    async def _asked(self, name: str) -> Turn | None:
        async with self._asking:  # one thread at most waits for a disk that hangs
            now = time.monotonic()
            if now < self._away_until:
                return None
            try:
                found = await asyncio.wait_for(asyncio.to_thread(self._turns.find, name), PATIENCE_S)
            except (StoreError, TimeoutError):
                self._away_until = time.monotonic() + OUTAGE_S
                return None
            self._asked_at = now
            return found


def _answered(messages: Sequence[Message]) -> int:
    """How many messages the turn had whose answer is the last one here; 0 where there is none."""
    end = len(messages)
    while end and not _is_answer(messages[end - 1]):
        end -= 1
    while end and _is_answer(messages[end - 1]):
        end -= 1
    return end


def _tokens(incoming: Incoming, length: int) -> int:
    """About how long the prompt of the first messages was, where its bill is on its way."""
    return round(min(len(str(incoming.messages[:length])) / BYTES_PER_TOKEN, incoming.sent_tokens(incoming.model)))


def _is_answer(message: Message) -> bool:
    return str(message.get("role")) == "assistant"
