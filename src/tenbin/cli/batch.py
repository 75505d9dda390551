"""Routing a stream of lines in chunks of bounded memory: decisions out in the order of the input."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from tenbin.cli.batch_lines import read_queries
from tenbin.cli.output import number, percent, table, usd
from tenbin.errors import DataError
from tenbin.router.excess import Excess

if TYPE_CHECKING:
    from tenbin.report.catalogue import Catalogue
    from tenbin.router.router import Router
    from tenbin.router.routing import Routing
    from tenbin.types import Progress, Query, TradeOff

CHUNK = 512
"""Queries decided at once: enough to spread the cost of a call, few enough to hold their features."""


@dataclass(frozen=True, slots=True)
class Routed:
    """One chunk: its output lines, and what the tally needs of them."""

    text: str
    prompts: int
    models: tuple[str, ...]
    cost_usd: float
    quality: float


def route_lines(
    router: Router,
    source: str,
    trade_offs: Sequence[TradeOff],
    allow: Sequence[str],
    deny: Sequence[str],
    progress: Progress,
    stranger_budget_usd: float | None = None,
) -> Iterator[Routed]:
    """Decide the lines of a JSONL file (`-`: standard input), chunk by chunk, in order.

    Each trade-off has a stranger budget of its own, used from the first line to the last (None: the dial decides); the
    lines are one stream.

    Raises DataError naming file:line:column at the first bad line, DecisionError where no candidate may answer.
    """
    with opened(source) as (lines, size):
        name = "<stdin>" if source == "-" else source
        queries = read_queries(lines, name)
        left = None if stranger_budget_usd is None else [stranger_budget_usd] * len(trade_offs)
        stream = Excess()
        while chunk := list(islice(queries, CHUNK)):
            routing = router.route(chunk, trade_offs, allow=allow, deny=deny, stranger_budget_usd=left, stream=stream)
            if left is not None:
                left = [usd - used for usd, used in zip(left, routing.stranger_usd.sum(axis=1).tolist(), strict=True)]
            decisions = list(rows(chunk, routing))
            yield Routed(
                text="".join(json.dumps(row, ensure_ascii=False) + "\n" for row in decisions),
                prompts=len(chunk),
                models=tuple(row["model"] for row in decisions),
                cost_usd=math.fsum(row["cost_usd"] or 0.0 for row in decisions),
                quality=math.fsum(row["quality"] or 0.0 for row in decisions),
            )
            if size:
                progress("routing prompts", min(lines.tell() / size, 1.0))


@contextmanager
def opened(source: str) -> Iterator[tuple[BinaryIO, int]]:
    """The input as bytes, and its size (0 where that is not known); DataError where it cannot be read."""
    if source == "-":
        yield sys.stdin.buffer, 0
        return
    try:
        stream = open(source, "rb")  # noqa: SIM115 (closed below; the error is of opening alone)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise DataError(f"cannot be read ({reason})", where=source, fix="check the path") from error
    with stream:
        yield stream, os.fstat(stream.fileno()).st_size if stream.seekable() else 0


def rows(queries: Sequence[Query], routing: Routing) -> Iterator[dict[str, Any]]:
    """One output row per query and trade-off, rounded so that the size of a chunk cannot show."""
    estimates = routing.estimates
    columns = [
        (array.tolist(), places)
        for array, places in (
            (estimates.quality, 6),
            (estimates.input_tokens, 1),
            (estimates.output_tokens, 1),
            (routing.cost_usd, 12),
        )
    ]
    chosen, loss = routing.chosen.tolist(), routing.loss.tolist()
    for i, query in enumerate(queries):
        for t, trade_off in enumerate(routing.trade_offs):
            m = chosen[t][i]
            quality, inputs, outputs, cost = (rounded(array[i][m], places) for array, places in columns)
            yield {
                "query_id": query.query_id,
                "mu": trade_off.mu,
                "model": routing.models[m],
                "quality": quality,
                "input_tokens": inputs,
                "output_tokens": outputs,
                "cost_usd": cost,
                "loss": rounded(loss[t][i], 9),
                "reason": routing.reasons[t][i],
            }


def rounded(value: float, places: int) -> float | None:
    """The value to so many decimals; None where it is not known."""
    return round(value, places) if math.isfinite(value) else None


@dataclass(slots=True)
class BatchSummary:
    """What a batch came to."""

    started: float = field(default_factory=time.monotonic)
    prompts: int = 0
    decisions: int = 0
    cost_usd: float = 0.0
    quality: float = 0.0
    models: Counter[str] = field(default_factory=Counter)

    def add(self, routed: Routed) -> None:
        """Count one more chunk in."""
        self.prompts += routed.prompts
        self.decisions += len(routed.models)
        self.cost_usd += routed.cost_usd
        self.quality += routed.quality
        self.models.update(routed.models)

    def fields(self) -> dict[str, Any]:
        """The summary as JSON fields; means are over decisions, None where there are none."""
        count = self.decisions or math.nan
        return {
            "prompts": self.prompts,
            "decisions": self.decisions,
            "seconds": round(time.monotonic() - self.started, 3),
            "mean_quality": self.quality / count,
            "mean_cost_usd": self.cost_usd / count,
            "total_cost_usd": self.cost_usd,
            "models": dict(sorted(self.models.items(), key=lambda item: (-item[1], item[0]))),
        }

    def text(self, out: str, words: Catalogue) -> str:
        """The summary for people."""
        found = self.fields()
        rate = self.prompts / max(found["seconds"], 1e-3)
        seconds, rate_told = f"{found['seconds']:.1f}", f"{rate:,.0f}"
        head = words("batch.routed", n=f"{self.prompts:,}", seconds=seconds, rate=rate_told, out=out)
        if not self.decisions:
            return head
        counts = "batch.prompts" if self.decisions == self.prompts else "batch.decisions"
        shares = table(
            [words("decision.model"), words(counts), words("batch.share")],
            [[name, f"{n:,}", percent(n / self.decisions)] for name, n in found["models"].items()],
            indent=2,
        )
        means = words("batch.expected", quality=number(found["mean_quality"]), cost=usd(found["mean_cost_usd"]))
        return f"{head}\n\n{shares}\n\n{means}"
