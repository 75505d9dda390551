"""What a pilot has bought so far: answers with all that was said about them, a panel, rows of the outcome table.

First answers and their first grading make the table. Second answers and second gradings stand beside it, for noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from tenbin.outcomes.digest import content_hash
from tenbin.outcomes.load import NOISE
from tenbin.outcomes.write import TableRow
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import read_journal
from tenbin.pilot.pair import Key
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Labelled, Record
from tenbin.types import CELLS, Floats, Outcome, Panel


@dataclass(frozen=True, slots=True)
class Answer:
    """One bought answer: `grades` holds the last grade of each round, `labels` the last label of each person.

    `noise_sd` is the noise of its label, where `tenbin.pilot.believed` has found it.
    """

    bought: Bought
    grades: Mapping[int, Graded] = field(default_factory=dict)
    labels: Mapping[str, Labelled] = field(default_factory=dict)
    noise_sd: float | None = None

    def quality(self, round: int = 0) -> float:
        """The quality of one grading; NaN where it was not graded, or the metric could not tell."""
        grade = self.grades.get(round)
        return math.nan if grade is None or grade.quality is None else grade.quality

    @property
    def is_untold(self) -> bool:
        """Whether it was graded, and the metric could not tell."""
        grade = self.grades.get(0)
        return grade is not None and grade.quality is None

    @property
    def is_judged(self) -> bool:
        """Whether a model graded it, alone or in a mixture; other metrics leave details, too."""
        grade = self.grades.get(0)
        return grade is not None and any(name.rpartition(".")[2] == "judge" for name in grade.details)

    def outcome(self) -> Outcome:
        """The answer as the outcome table has it; dollars are those of the call, without its grading."""
        bought, grade = self.bought, self.grades.get(0)
        return Outcome(
            query_id=bought.query_id,
            model=bought.model,
            quality=None if grade is None else grade.quality,
            input_tokens=float(bought.usage.input_tokens),
            output_tokens=float(bought.usage.output_tokens),
            cost_usd=bought.cost_usd,
            latency_s=bought.latency_s,
            observed_at=datetime.fromtimestamp(bought.at, UTC).isoformat(timespec="seconds"),
            judge=None if grade is None else grade.metric,
            label_propensity=bought.label_propensity,
            label_noise_sd=self.noise_sd,
        )


@dataclass(frozen=True, slots=True)
class Results:
    """The prompts of a pilot, whether asked or not, and the answers bought, by (query_id, model, repeat).

    `metric` is the identity of the one that graded last, None where nothing is graded; all grades are by it.
    """

    prompts: tuple[PilotPrompt, ...]
    answers: Mapping[Key, Answer]
    metric: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The models with an answer, by name."""
        return tuple(sorted({model for _, model, _ in self.answers}))

    def rows(self) -> list[TableRow]:
        """The outcome table: one row per first answer, by query and model."""
        by_id = {prompt.query_id: prompt for prompt in self.prompts}
        firsts = sorted(key for key in self.answers if key[2] == 0 and key[0] in by_id)
        return [TableRow(by_id[key[0]].query(), self.answers[key].outcome(), by_id[key[0]].split) for key in firsts]

    def panel(self, models: Sequence[str] | None = None) -> Panel:
        """The table as a panel: the prompts with a first answer, by id; `models` are its columns (all bought).

        It equals what `read_outcomes` makes of the written table.
        """
        columns = self.models if models is None else tuple(models)
        rows = [row for row in self.rows() if row.outcome.model in columns]
        split = {row.query.query_id: row.split or "train" for row in rows}
        queries = {row.query.query_id: row.query for row in rows}
        at = {query_id: i for i, query_id in enumerate(queries)}
        shape = (len(queries), len(columns))
        cells: dict[str, Floats] = {name: np.full(shape, np.nan) for name in (*CELLS, NOISE)}
        cells["label_propensity"][:] = 1.0
        for row in rows:
            place = at[row.query.query_id], columns.index(row.outcome.model)
            for name, array in cells.items():
                value = getattr(row.outcome, name)
                array[place] = np.nan if value is None else value
        noise = cells.pop(NOISE)
        is_known = not np.isnan(noise).all()
        told = [*cells.values(), noise] if is_known else [*cells.values()]
        return Panel(
            queries=tuple(queries.values()),
            models=columns,
            split=tuple(split.values()),
            data_hash=content_hash(list(queries.values()), columns, list(split.values()), told),
            label_noise_sd=noise if is_known else None,
            **cells,
        )

    def answered_twice(self) -> tuple[tuple[Answer, Answer], ...]:
        """First and second answer of every pair that was asked again: what answering adds to noise."""
        return tuple(
            (first, self.answers[query_id, model, 1])
            for (query_id, model, repeat), first in sorted(self.answers.items())
            if repeat == 0 and (query_id, model, 1) in self.answers
        )

    def qualities(self, panel: Panel, *, repeat: int = 0, round: int = 0) -> Floats:
        """The qualities [n, M] of one answer to the queries of a panel by one grading, NaN where there is none."""
        found = [
            [self.answers.get((query.query_id, model, repeat)) for model in panel.models] for query in panel.queries
        ]
        cells = [[math.nan if answer is None else answer.quality(round) for answer in row] for row in found]
        return np.array(cells, dtype=np.float64).reshape(panel.quality.shape)

    def graded_twice(self) -> tuple[Answer, ...]:
        """Every answer with a grade of round 0 and of round 1: what grading adds to noise."""
        return tuple(answer for _, answer in sorted(self.answers.items()) if {0, 1} <= answer.grades.keys())


def results_of(prompts: Iterable[PilotPrompt], records: Iterable[Record]) -> Results:
    """Replay a journal; a grade or label of an answer that was never bought says nothing and is passed over.

    Where grading anew by another metric has begun, the grades of the one before are no longer grades: two measures in
    one table are none.
    """
    metric: str | None = None
    bought: dict[Key, Bought] = {}
    grades: dict[Key, dict[int, Graded]] = {}
    labels: dict[Key, dict[str, Labelled]] = {}
    for record in records:
        key = record.query_id, record.model, record.repeat
        match record:
            case Bought():
                bought[key] = record
            case Graded():
                grades.setdefault(key, {})[record.round] = record
                metric = record.metric
            case Labelled():
                labels.setdefault(key, {})[record.labeller] = record
            case _:
                pass
    current = {
        key: {round: grade for round, grade in rounds.items() if grade.metric == metric}
        for key, rounds in grades.items()
    }
    answers = {key: Answer(it, current.get(key, {}), labels.get(key, {})) for key, it in bought.items()}
    return Results(tuple(prompts), answers, metric)


def read_results(folder: PilotFolder) -> Results:
    """The results of a pilot's folder; where nothing was run yet there are no answers (DataError)."""
    return results_of(folder.read_prompts(), read_journal(folder))
