"""Several pilots as one outcome table: the same prompt is one query, and what contradicts itself is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tenbin.errors import UsageError
from tenbin.outcomes.identity import prompt_key
from tenbin.outcomes.write import TableRow
from tenbin.pilot.results import Results
from tenbin.types import SPLITS, Outcome

AGREE = 1e-9
"""Qualities this near are the same label."""


@dataclass(frozen=True, slots=True)
class Source:
    """One pilot to merge: its name, the identity of its metric, what it bought."""

    name: str
    metric: str
    results: Results


@dataclass(frozen=True, slots=True)
class Clash:
    """One pair that two pilots labelled differently: the quality in each, by pilot; that of `kept` holds."""

    query_id: str
    model: str
    quality: Mapping[str, float]
    kept: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The table, and what the pilots had in common.

    `shared` prompts stood in more than one pilot, `moved` of them in different splits, `regrouped` under different
    groups, `renamed` had the id of another prompt; `agreed` pairs were labelled alike. Of `one_sided` pairs of shared
    prompts one pilot alone drew the lot: their propensity is short of the other's chance. `metrics` names each pilot's.
    """

    rows: tuple[TableRow, ...]
    shared: int
    moved: int
    regrouped: int
    renamed: int
    agreed: int
    one_sided: int
    clashes: tuple[Clash, ...]
    metrics: Mapping[str, str]


def merge(sources: Sequence[Source], *, force: bool = False) -> Merged:
    """Merge pilots; the same prompt is told by its normalised text. The order of `sources` only names things.

    A prompt keeps the id and the group of the first pilot that has it. Of two splits the one that is used earlier
    holds (train before calibration before test): what was trained on anywhere must not prove anything. A pair with
    two labels that agree keeps the first; where they clash, the one graded later holds. A pair labelled in two pilots
    was chosen with probability 1 - (1 - p)(1 - q). So was one that only one of the two drew, but no plan keeps the
    chance of what it did not draw: it keeps its p, may weigh too much, and is counted (`one_sided`). Raises UsageError
    where the metrics differ and `force` is not given, or where two pilots have the same name.
    """
    metrics = {source.name: source.metric for source in sources}
    if len(metrics) < len(sources):
        raise UsageError("the same pilot is named twice", fix="name each pilot once")
    if len(set(metrics.values())) > 1 and not force:
        told = ", ".join(f"{name}: {metric}" for name, metric in metrics.items())
        raise UsageError(
            f"the pilots were graded by different metrics ({told}), so their qualities do not compare",
            fix="grade one of them anew (tenbin pilot run NAME --regrade), or give --force",
        )
    table = _Table()
    for source in sources:
        for row in source.results.rows():
            table.take(source.name, row)
    return table.merged(metrics)


class _Table:
    """The rows so far, by prompt and model, and who brought them."""

    def __init__(self) -> None:
        self.firsts: dict[str, TableRow] = {}
        self.ids: set[str] = set()
        self.pilots: dict[str, set[str]] = {}
        self.splits: dict[str, set[str]] = {}
        self.groups: dict[str, set[str]] = {}
        self.cells: dict[tuple[str, str], tuple[str, Outcome]] = {}
        self.clashes: list[Clash] = []
        self.twice: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()

    def take(self, pilot: str, row: TableRow) -> None:
        """Add one row of one pilot."""
        key = prompt_key(row.query)
        if key not in self.firsts:
            self.firsts[key] = self._named(pilot, row)
        self.pilots.setdefault(key, set()).add(pilot)
        self.splits.setdefault(key, set()).add(row.split or "train")
        if row.query.group is not None:
            self.groups.setdefault(key, set()).add(row.query.group)
        self._label(pilot, key, row.outcome)

    def merged(self, metrics: Mapping[str, str]) -> Merged:
        """The table by id and model."""
        rows = []
        for (key, model), (_, outcome) in self.cells.items():
            query = self.firsts[key].query
            query = replace(query, group=query.group or min(self.groups.get(key, {None}), key=str))
            split = min(self.splits[key], key=SPLITS.index)
            rows.append(TableRow(query, replace(outcome, query_id=query.query_id, model=model), split))
        return Merged(
            rows=tuple(sorted(rows, key=lambda row: (row.query.query_id, row.outcome.model))),
            shared=sum(len(pilots) > 1 for pilots in self.pilots.values()),
            moved=sum(len(splits) > 1 for splits in self.splits.values()),
            regrouped=sum(len(groups) > 1 for groups in self.groups.values()),
            renamed=self.counts["renamed"],
            agreed=self.counts["agreed"],
            one_sided=sum(
                len(self.pilots[at[0]]) > 1 and outcome.label_propensity < 1.0 and at not in self.twice
                for at, (_, outcome) in self.cells.items()
            ),
            clashes=tuple(self.clashes),
            metrics=metrics,
        )

    def _named(self, pilot: str, row: TableRow) -> TableRow:
        """The row with an id that no other prompt has."""
        query_id = row.query.query_id
        if query_id in self.ids:
            query_id = f"{pilot}/{query_id}"
            self.counts["renamed"] += 1
        self.ids.add(query_id)
        return replace(row, query=replace(row.query, query_id=query_id))

    def _label(self, pilot: str, key: str, outcome: Outcome) -> None:
        at = key, outcome.model
        if at not in self.cells:
            self.cells[at] = pilot, outcome
            return
        self.twice.add(at)
        other, held = self.cells[at]
        p, q = held.label_propensity, outcome.label_propensity
        both = 1.0 - (1.0 - p) * (1.0 - q)
        newer = (outcome.observed_at or "", pilot) > (held.observed_at or "", other)
        winner = (pilot, outcome) if newer else (other, held)
        if held.quality is None or outcome.quality is None:
            winner = (pilot, outcome) if held.quality is None else (other, held)
        elif abs(held.quality - outcome.quality) > AGREE:
            quality = {other: held.quality, pilot: outcome.quality}
            self.clashes.append(Clash(self.firsts[key].query.query_id, outcome.model, quality, winner[0]))
        else:
            winner = other, held
            self.counts["agreed"] += 1
        self.cells[at] = winner[0], replace(winner[1], label_propensity=both)
