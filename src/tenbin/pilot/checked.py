"""A pilot's grades held against people's labels: how far they agree, what is corrected, how noisy labels are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.pilot.results import Answer, Results
from tenbin.quality.agreement import Agreement, agreement
from tenbin.quality.calibrated import calibrated
from tenbin.quality.correction import Correction, correct
from tenbin.quality.noise import LabelNoise, label_noise
from tenbin.types import Floats

LEAST_LABELS = 10
"""With fewer labels of people a correction would do more harm than good: the grades stay."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What people and repeats say of the grades of `queries` by `models`; arrays are [n, M], NaN where there is none.

    `judged` are the grades, `human` the means of people's labels. `quality` is what an outcome table should hold: the
    grades, corrected where at least ten answers were labelled (`is_corrected`), people's labels in their places.
    `agreement` has all models first, then each; `means` [M] are those of `quality`, weighted as it was bought.
    """

    queries: tuple[str, ...]
    models: tuple[str, ...]
    judged: Floats
    human: Floats
    quality: Floats
    is_corrected: bool
    agreement: tuple[Agreement, ...]
    correction: Correction
    noise: LabelNoise
    means: tuple[float, ...]

    @property
    def n_labelled(self) -> int:
        """How many answers people have labelled."""
        return int((~np.isnan(self.human)).sum())


def check_grades(results: Results, models: Sequence[str] | None = None) -> Checked:
    """Check the first answers' grades of a pilot; rows by id as in its panel, `models` are its columns (all bought)."""
    columns = results.models if models is None else tuple(models)
    known = {prompt.query_id for prompt in results.prompts}
    firsts = {key: it for key, it in results.answers.items() if key[2] == 0 and key[0] in known and key[1] in columns}
    queries = tuple(sorted({key[0] for key in firsts}))
    shape = (len(queries), len(columns))
    judged, human, again, regraded = (np.full(shape, np.nan) for _ in range(4))
    bought, shown = np.ones(shape), np.ones(shape)
    row = {query_id: i for i, query_id in enumerate(queries)}
    for (query_id, model, _), answer in firsts.items():
        at = row[query_id], columns.index(model)
        judged[at], regraded[at], human[at] = answer.quality(), answer.quality(1), _mean_label(answer)
        bought[at] = answer.bought.label_propensity
        if answer.labels:
            shown[at] = max(label.label_propensity for label in answer.labels.values())
        if (second := results.answers.get((query_id, model, 1))) is not None:
            again[at] = second.quality()
    correction = correct(judged, human, bought, shown)
    is_corrected = int((~np.isnan(human)).sum()) >= LEAST_LABELS
    believed = correction.believed() if is_corrected else np.full(len(columns), np.nan)
    quality = calibrated(judged, human, believed, bought)
    return Checked(
        queries=queries,
        models=columns,
        judged=judged,
        human=human,
        quality=quality,
        is_corrected=is_corrected,
        agreement=tuple(agreement(judged, human, columns, 1.0 / (bought * shown))),
        correction=correction,
        noise=label_noise(judged, again, regraded),
        means=tuple(_mean(quality[:, m], 1.0 / bought[:, m]) for m in range(len(columns))),
    )


def _mean_label(answer: Answer) -> float:
    """What people say of an answer in the mean; NaN where nobody has labelled it."""
    said = [label.quality for label in answer.labels.values()]
    return math.fsum(said) / len(said) if said else math.nan


def _mean(values: Floats, weight: Floats) -> float:
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weight[known])) if known.any() else math.nan
