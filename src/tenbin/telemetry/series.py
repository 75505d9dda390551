"""Families of counters and histograms that cost a request next to nothing.

One event loop writes them, so they need no lock: adding costs a tenth of what a metric of prometheus-client takes, and
no variable of the environment moves them into files. Their text at a scrape is made by prometheus-client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

MAX_CHILDREN = 2_000
"""Label sets per family. Every label is a name out of the configuration, so this is met only by a fault of ours."""
OVERFLOW = "other"


class Count:
    """One sum that only grows."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0.0

    def add(self, amount: float = 1.0) -> None:
        """Add a finite amount of 0 or more; anything else (unknown is NaN) would spoil the sum for good and is left."""
        if 0.0 <= amount < float("inf"):
            self.total += amount


class Spread:
    """One histogram: how many observations fell at or below each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, amount: float) -> None:
        """Count one finite observation of 0 or more (a clock that was set back gives less, and is left)."""
        if 0.0 <= amount < float("inf"):
            self.counts[bisect_left(self.bounds, amount)] += 1
            self.total += amount


Child = TypeVar("Child", Count, Spread)


class Family(Protocol):
    """What a scrape asks of a family."""

    def metric(self) -> Metric: ...


class _Children(Generic[Child]):
    """The children of one family by their label values, made when first met and never more than MAX_CHILDREN."""

    def __init__(self, labels: Sequence[str], make: Callable[[], Child]) -> None:
        self.labels = tuple(labels)
        self.make: Callable[[], Child] = make
        self.found: dict[tuple[str, ...], Child] = {}

    def at(self, *values: str) -> Child:
        """The child of these label values, in the order of the family's labels."""
        child = self.found.get(values)
        if child is None:
            if len(self.found) >= MAX_CHILDREN:
                values = (OVERFLOW,) * len(self.labels)
            child = self.found.setdefault(values, self.make())
        return child


class Counts(_Children[Count]):
    """A family of counters; `name` ends in its unit, `_total` is added at the scrape."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        super().__init__(labels, Count)
        self.name, self.text = name, text

    def metric(self) -> Metric:
        """The family as a scrape prints it."""
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for values, child in list(self.found.items()):
            family.add_metric(values, child.total)
        return family


class Spreads(_Children[Spread]):
    """A family of histograms with the same bounds."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__(labels, lambda: Spread(self.bounds))
        self.name, self.text, self.bounds = name, text, tuple(bounds)

    def metric(self) -> Metric:
        """The family as a scrape prints it, its buckets cumulated."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        edges = [*map(floatToGoString, self.bounds), "+Inf"]
        for values, child in list(self.found.items()):
            below, buckets = 0, []
            for edge, count in zip(edges, child.counts, strict=True):
                below += count
                buckets.append((edge, float(below)))
            family.add_metric(values, buckets, child.total)
        return family
