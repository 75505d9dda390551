"""How many decisions came too late, read from the gateway's own metrics before and after a measurement.

A request whose decision is late costs none: without this share beside it, a figure of speed may be flattered.
"""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass

DECIDED = re.compile(rb"^tenbin_decisions_total\{[^}]*\} (\S+)$", re.MULTILINE)
LATE = re.compile(rb"^tenbin_late_decisions_total\{[^}]*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions since the gateway's start, and how many of them were late."""

    made: float
    late: float

    @classmethod
    def read(cls, admin_port: int) -> Decisions:
        """What the admin port of a gateway on this machine says now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=10) as answer:
            text = answer.read()
        return cls(*(sum(map(float, family.findall(text))) for family in (DECIDED, LATE)))

    def late_share_since(self, before: Decisions) -> float | None:
        """The share of late ones among the decisions since `before`; None where there was none."""
        made = self.made - before.made
        return (self.late - before.late) / made if made > 0 else None
