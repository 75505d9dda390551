"""Ids that tie a tool's result to its call, fit for every provider."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from typing import Any

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH = 9
_TAKEN_BY_BOTH = re.compile(r"[a-zA-Z0-9_-]{1,40}")


def neutral_id(seed: str) -> str:
    """Nine letters and digits made of a seed: short and plain enough for Anthropic, OpenAI and Mistral alike.

    Always the same for the same seed, so that a prompt sent again stays the same prompt to a cache.
    """
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


class ToolIds:
    """Renames the tool calls of one conversation, read in order, and the results that answer them.

    An id that matches `takes` (both dialects do) and that no earlier call had is kept, unless `renames_all`.
    """

    def __init__(self, *, renames_all: bool = False, takes: re.Pattern[str] = _TAKEN_BY_BOTH) -> None:
        self._renames_all = renames_all
        self._takes = takes
        self._seen: Counter[str] = Counter()
        self._open: dict[str, deque[str]] = {}
        self._answered: dict[str, str] = {}

    def call(self, tool_id: str) -> str:
        """The id of the next call."""
        turn = self._seen[tool_id]
        self._seen[tool_id] += 1
        is_kept = not self._renames_all and turn == 0 and self._takes.fullmatch(tool_id)
        new = tool_id if is_kept else neutral_id(f"{turn}:{tool_id}")
        self._open.setdefault(tool_id, deque()).append(new)
        return new

    def result(self, tool_id: str) -> str:
        """The id of the call that a result answers: of calls with one id, the first that is still unanswered."""
        waiting = self._open.get(tool_id)
        if waiting:
            self._answered[tool_id] = waiting.popleft()
        elif tool_id not in self._answered:
            is_kept = not self._renames_all and self._takes.fullmatch(tool_id)
            self._answered[tool_id] = tool_id if is_kept else neutral_id(f"0:{tool_id}")
        return self._answered[tool_id]


class UniqueIds:
    """Ids for the calls of one answer: some servers give none or all the same, and no result would find its call."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._count = 0

    def unique(self, tool_id: str, answer_id: Any) -> str:
        """The id of the next call: its own where it has one that no call before it had."""
        made = neutral_id(f"{answer_id}:{self._count}") if not tool_id or tool_id in self._given else tool_id
        self._count += 1
        self._given.add(made)
        return made
