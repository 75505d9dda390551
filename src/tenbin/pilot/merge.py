"""Several pilots as one outcome table: the same prompt is one query, and what contradicts itself is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tenbin.errors import UsageError
from tenbin.outcomes.identity import prompt_key
from tenbin.outcomes.write import TableRow
from tenbin.pilot.chances import Chances
from tenbin.pilot.pair import Pair
from tenbin.pilot.results import Results
from tenbin.types import SPLITS, Outcome

AGREE = 1e-9
"""Qualities this near are the same label."""


@dataclass(frozen=True, slots=True)
class Source:
    """One pilot to merge: its name, the identity of its metric, what it bought, what it had planned."""

    name: str
    metric: str
    results: Results
    plan: Sequence[Pair] = ()

    @property
    def chances(self) -> Chances:
        """The chances of what it did not buy."""
        return Chances.of(self.plan, self.results.models)


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
    groups, `renamed` had the id of another prompt; `agreed` pairs were labelled alike. The propensity of `one_sided`
    pairs is short of the chance that another pilot's plan did not write down. `metrics` names each pilot's.
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
    two labels that agree keeps the first; where they clash, the one graded later holds. A pair of a prompt that two
    pilots have asked was chosen with probability 1 - (1 - p)(1 - q), whether both drew it or one: plans write down the
    chance of what the lot passed over. Those of an earlier Tenbin did not; a pair that only the other pilot drew then
    keeps its p, may weigh too much, and is counted (`one_sided`). Raises UsageError where the metrics differ and
    `force` is not given, or where two pilots have the same name.
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
    table = _Table({source.name: source.chances for source in sources})
    for source in sources:
        for row in source.results.rows():
            table.take(source.name, row)
    return table.merged(metrics)


class _Table:
    """The rows so far, by prompt and model, and who brought them, with which chance."""

    def __init__(self, chances: Mapping[str, Chances]) -> None:
        self.chances = chances
        self.firsts: dict[str, TableRow] = {}
        self.ids: set[str] = set()
        self.ids_of: dict[str, dict[str, str]] = {}
        self.splits: dict[str, set[str]] = {}
        self.groups: dict[str, set[str]] = {}
        self.cells: dict[tuple[str, str], tuple[str, Outcome]] = {}
        self.clashes: list[Clash] = []
        self.drawn: dict[tuple[str, str], dict[str, float]] = {}
        self.counts: Counter[str] = Counter()

    def take(self, pilot: str, row: TableRow) -> None:
        """Add one row of one pilot."""
        key = prompt_key(row.query)
        if key not in self.firsts:
            self.firsts[key] = self._named(pilot, row)
        self.ids_of.setdefault(key, {})[pilot] = row.query.query_id
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
            chance = self._chance(key, model)
            rows.append(TableRow(query, replace(outcome, query_id=query.query_id, label_propensity=chance), split))
        return Merged(
            rows=tuple(sorted(rows, key=lambda row: (row.query.query_id, row.outcome.model))),
            shared=sum(len(pilots) > 1 for pilots in self.ids_of.values()),
            moved=sum(len(splits) > 1 for splits in self.splits.values()),
            regrouped=sum(len(groups) > 1 for groups in self.groups.values()),
            renamed=self.counts["renamed"],
            agreed=self.counts["agreed"],
            one_sided=self.counts["one_sided"],
            clashes=tuple(self.clashes),
            metrics=metrics,
        )

    def _chance(self, key: str, model: str) -> float:
        """The chance that at least one of the pilots that asked this prompt would buy the pair."""
        drawn = self.drawn[key, model]
        passed_over = [
            self.chances[pilot].of_unbought(query_id, model)
            for pilot, query_id in self.ids_of[key].items()
            if pilot not in drawn
        ]
        chance = 0.0
        for one in sorted([*drawn.values(), *(p for p in passed_over if p)]):
            chance = one if chance == 0.0 else 1.0 - (1.0 - chance) * (1.0 - one)
        self.counts["one_sided"] += chance < 1.0 and None in passed_over
        return chance

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
        self.drawn.setdefault(at, {})[pilot] = outcome.label_propensity
        if at not in self.cells:
            self.cells[at] = pilot, outcome
            return
        other, held = self.cells[at]
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
        self.cells[at] = winner
