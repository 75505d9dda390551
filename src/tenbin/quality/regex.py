"""A regular expression is found in the answer."""

from __future__ import annotations

import re

from tenbin.errors import ConfigError
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import run_apart

MAX_CHARACTERS = 1_000_000
CPU_S = 2
MEMORY_BYTES = 1 << 30


class Regex:
    """1 where `pattern` is found somewhere in the answer (`forbid`: where it is not); no reference is needed.

    Patterns may take for ever on some texts, so each search runs in a process of its own, for 2 s of computing at most;
    then the metric cannot tell. Raises ConfigError for what is no regular expression.
    """

    def __init__(self, pattern: str, forbid: bool = False) -> None:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ConfigError(f"the pattern is no regular expression ({error})", fix="correct it") from None
        self.name = identity("regex", {"pattern": pattern, "forbid": forbid})
        self.pattern = pattern
        self.forbid = forbid

    def score(self, query: str, answer: str, reference: str | None) -> float:  # noqa: ARG002 (the door)
        """0 or 1."""
        task = {"pattern": self.pattern, "text": answer[:MAX_CHARACTERS]}
        found = run_apart("regex_search", task, cpu_s=CPU_S, memory_bytes=MEMORY_BYTES)["found"]
        return float(found is not self.forbid)
