"""What the gateway must reach, as ratios within one run: each line of the issue, measured and judged."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import long, start
from bench.rounds import Table

BUSY = tuple(f"{mode} x{n}" for mode in ("whole", "stream") for n in (16, 64))
ALONE = ("whole x1", "stream x1")


@dataclass(frozen=True, slots=True)
class Check:
    """One demand: what was measured (with its interval over rounds), the limit, and whether it holds."""

    what: str
    value: float
    low: float
    high: float
    limit: float
    at_least: bool
    aim: float | None = None

    @property
    def is_measured(self) -> bool:
        return not math.isnan(self.value)

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def text(self) -> str:
        """One line."""
        sign, aim = (">=" if self.at_least else "<="), "" if self.aim is None else f" (aim {self.aim:g})"
        verdict = "not measured" if not self.is_measured else "holds" if self.holds else "MISSED"
        interval = f"[{self.low:.3g}, {self.high:.3g}]"
        return f"{verdict:12}  {self.what:52} {self.value:7.3g} {interval:17} {sign} {self.limit:g}{aim}"


def checks(table: Table) -> Iterator[Check]:
    """Every demand on speed, in the issue's order."""
    for cell in BUSY:
        ratio = table.ratio(cell, "tenbin", "floor", "rps")
        yield Check(f"requests per second, share of the floor, {cell}", *ratio, 0.25, True, 0.45)
    for cell in BUSY:
        ratio = table.ratio(cell, "tenbin", "litellm", "rps")
        yield Check(f"requests per second, times LiteLLM's, {cell}", *ratio, 20.0, True)
    for cell in BUSY:
        ratio = table.ratio(cell, "tenbin", "floor", "cpu_ms")
        yield Check(f"CPU per request, times the floor's, {cell}", *ratio, 4.0, False, 2.5)
    for cell in BUSY:
        ratio = table.ratio(cell, "pinned", "floor", "rps")
        yield Check(f"pinned model, share of the floor's rps, {cell}", *ratio, 0.60, True)
    for cell in ALONE:
        for p in (50, 95):
            ratio = table.ratio(cell, "tenbin", "floor", f"latency_p{p}_ms", minus="direct")
            yield Check(f"added latency p{p}, times the floor's, {cell}", *ratio, 3.0, False)
    ratio = table.ratio("paced x64", "tenbin", "floor", "first_p50_ms")
    yield Check("time to first token p50, times the floor's, paced x64", *ratio, 1.3, False)
    ratio = table.ratio("paced x512", "tenbin", "floor", "stall_ms")
    yield Check("longest stall, times the floor's, paced x512", *ratio, 2.0, False)
    lost = table.worst("paced x512", "tenbin", "lost_frames")
    yield Check("frames lost, paced x512", lost, lost, lost, 0.0, False)


def alone(ready_s: float, decided_ms: Sequence[float]) -> Iterator[Check]:
    """The demands on a gateway without load: how soon it is ready, how long a huge conversation takes to decide."""
    yield Check("ready after start, seconds", ready_s, ready_s, ready_s, start.LIMIT_S, False)
    median, least, most = statistics.median(decided_ms), min(decided_ms), max(decided_ms)
    yield Check(f"decided in, ms, {long.TOKENS:,} tokens", median, least, most, long.LIMIT_MS, False)
