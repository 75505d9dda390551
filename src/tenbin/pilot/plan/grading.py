"""What grading one answer will cost: as the grades so far, or a share of the most it may cost before there are any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tenbin.features import read_conversation
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Graded, Record
from tenbin.quality.grade import Answered
from tenbin.quality.grader import Grader
from tenbin.types import Floats

SAMPLE = 30
"""Prompts at which the grader is asked for its bound."""
PRIOR_GRADES = 2.0
LIKELY_SHARE = 0.1
"""Of the most that a grading may cost. That counts two calls, a token for every byte, and replies as long as their cap:
judges cost .06 to .19 of it, the more the longer they think before they reply."""


def grading_usd(
    grader: Grader,
    prompts: Sequence[PilotPrompt],
    models: Sequence[str],
    output_tokens: Floats,
    records: Iterable[Record],
) -> Floats:
    """Expected dollars [n, M] of grading; `output_tokens` [n, M] are the expected lengths of the answers."""
    likely = LIKELY_SHARE * np.array(
        [_bound(grader, prompts, model, output_tokens[:, m]) for m, model in enumerate(models)]
    )
    paid: dict[str, list[float]] = {model: [] for model in models}
    for record in records:
        if isinstance(record, Graded) and record.model in paid:
            paid[record.model].append(record.cost_usd)
    count = np.array([len(paid[model]) for model in models], dtype=np.float64)
    total = np.array([sum(paid[model]) for model in models])
    mean = (total + PRIOR_GRADES * likely) / (count + PRIOR_GRADES)
    return np.tile(np.where(likely > 0.0, mean, total / np.maximum(count, 1.0)), (len(prompts), 1))


def _bound(grader: Grader, prompts: Sequence[PilotPrompt], model: str, output_tokens: Floats) -> float:
    rows = np.unique(np.linspace(0, len(prompts) - 1, SAMPLE).astype(np.int64)).tolist()
    return float(np.mean([grader.reserve_usd(_imagined(prompts[i], model, float(output_tokens[i]))) for i in rows]))


def _imagined(prompt: PilotPrompt, model: str, tokens: float) -> Answered:
    """An answer of the expected length, for its bound alone."""
    said = "word" * max(1, round(tokens))  # four characters a token
    asked = read_conversation(prompt.asked).last_user
    return Answered(prompt.query_id, model, asked, said, prompt.messages, prompt.reference or "", said)
