"""Grades as far as they are to be believed: a judge beside the people who labelled some of its answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from tenbin.pilot.head_room import LEAST_REPEATS
from tenbin.pilot.results import Answer, Results
from tenbin.quality.agreement import Agreement, agreement
from tenbin.quality.calibrated import calibrated
from tenbin.quality.correction import Corrected, correct
from tenbin.quality.noise import LabelNoise, label_noise
from tenbin.types import Floats, Panel

LEAST_LABELS = 10
"""Fewer labels by people than this correct nothing: their own luck would be larger than what they mend."""
BY_PEOPLE = "+people"
"""Behind a metric's name: its grades were corrected by labels of people."""


@dataclass(frozen=True, slots=True)
class JudgeCheck:
    """The grades beside people's labels on the same first answers, and how noisy grades are.

    `agreement` is over all candidates (model ""), then of each; `corrected` by candidate in the order of `models`.
    `is_applied`: there are enough labels, and every figure of the pilot rests on the corrected grades.
    """

    models: tuple[str, ...]
    n_labels: int
    n_people: int
    is_applied: bool
    agreement: tuple[Agreement, ...]
    corrected: tuple[Corrected, ...]
    noise: LabelNoise


def check_judge(results: Results) -> JudgeCheck:
    """How the grades stand to people's labels, and to themselves where an answer was graded or given twice."""
    panel = results.panel()
    human, chance = people(results, panel)
    noise = label_noise(panel.quality, results.qualities(panel, repeat=1), results.qualities(panel, round=1))
    n_labels = int((~np.isnan(human) & ~np.isnan(panel.quality)).sum())
    if not n_labels:
        return JudgeCheck(panel.models, 0, 0, False, (), (), noise)
    found = correct(panel.quality, human, panel.label_propensity, chance)
    return JudgeCheck(
        models=panel.models,
        n_labels=n_labels,
        n_people=len({name for answer in results.answers.values() for name in answer.labels}),
        is_applied=n_labels >= LEAST_LABELS,
        agreement=tuple(agreement(panel.quality, human, panel.models, 1.0 / (panel.label_propensity * chance))),
        corrected=found.arms,
        noise=noise,
    )


def believed(results: Results) -> Results:
    """The results with their first grades corrected by people's labels; as they are where these are too few.

    A labelled answer gets its label; the grades of the others keep their order, and their means become what
    prediction-powered inference says (`tenbin.quality.correction`). The metric's name says so. Where enough was
    answered twice, every label carries the noise of its model's labels.
    """
    results = _with_noise(results)
    panel = results.panel()
    human, chance = people(results, panel)
    if int((~np.isnan(human) & ~np.isnan(panel.quality)).sum()) < LEAST_LABELS:
        return results
    means = correct(panel.quality, human, panel.label_propensity, chance).believed()
    quality = calibrated(panel.quality, human, means, panel.label_propensity)
    answers = dict(results.answers)
    for i, query in enumerate(panel.queries):
        for m, model in enumerate(panel.models):
            key = query.query_id, model, 0
            if key in answers and not math.isnan(quality[i, m]):
                answers[key] = _corrected(answers[key], float(quality[i, m]))
    return replace(results, answers=answers)


def people(results: Results, panel: Panel) -> tuple[Floats, Floats]:
    """Mean labels [n, M] of people on first answers, NaN where none, and the chance with which any of them was asked.

    That is the largest of theirs: everybody is shown the beginning of one list, and who imports labels of all answers
    leaves no luck in which of them others have labelled, too.
    """
    human, chance = np.full(panel.quality.shape, np.nan), np.ones(panel.quality.shape)
    for i, query in enumerate(panel.queries):
        for m, model in enumerate(panel.models):
            answer = results.answers.get((query.query_id, model, 0))
            if answer is not None and answer.labels:
                human[i, m] = np.mean([label.quality for label in answer.labels.values()])
                chance[i, m] = max(label.label_propensity for label in answer.labels.values())
    return human, chance


def _with_noise(results: Results) -> Results:
    """The results with the noise of their labels; as they are where too few answers were given twice."""
    panel = results.panel()
    again = results.qualities(panel, repeat=1)
    noise = label_noise(panel.quality, again, np.full_like(again, np.nan))
    if noise.n_reanswered < LEAST_REPEATS:
        return results
    of_model = dict(zip(panel.models, noise.label_sd_of.tolist(), strict=True))
    noisy = {
        key: replace(answer, noise_sd=of_model[key[1]]) if key[2] == 0 else answer
        for key, answer in results.answers.items()
    }
    return replace(results, answers=noisy)


def _corrected(answer: Answer, quality: float) -> Answer:
    grade = answer.grades.get(0)
    if grade is None:
        return answer
    changed = msgspec.structs.replace(grade, quality=quality, metric=grade.metric + BY_PEOPLE)
    return replace(answer, grades={**answer.grades, 0: changed})
