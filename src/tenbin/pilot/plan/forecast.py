"""What a drafted stage will cost, how long it will take, and what certainty it buys."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tenbin.config.candidates import Endpoint
from tenbin.pilot.plan.certainty import PRIOR_SD, expected_width
from tenbin.pilot.plan.draft import Draft
from tenbin.pilot.plan.ground import Ground
from tenbin.pilot.plan.lengths import ANSWER_LOG_SD, Lengths
from tenbin.pilot.plan.stage import CandidateForecast, StagePlan
from tenbin.pilot.run.lane import PLACES
from tenbin.types import NORMAL_95

SECONDS_PER_MINUTE = 60.0


def dearest_factor(lengths: Lengths) -> float:
    """By what factor the dollars of a stage may exceed their expectation, whatever its candidates (97.5 %)."""
    return float(np.exp(NORMAL_95 * np.maximum(lengths.input_log_sd, lengths.output_log_sd)).max())


def forecast(
    ground: Ground, draft: Draft, lengths: Lengths, endpoints: Mapping[str, Endpoint], stage: int, at: float
) -> StagePlan:
    """The forecast of a draft."""
    models = ground.panel.models
    rows = [_candidate(ground, draft, lengths, endpoints, m) for m in range(len(models)) if (draft.column == m).any()]
    expected = float(draft.expected_usd.sum())
    low = sum(row.expected_usd**2 / row.high_usd for row in rows if row.high_usd > 0.0)
    train, held_out = _prompts(ground, draft)
    prompts = int((~np.isnan(ground.panel.quality[ground.train])).any(axis=1).sum()) + train
    sd = PRIOR_SD if draft.saving_sd is None else draft.saving_sd
    return StagePlan(
        stage=stage,
        kind=draft.kind,
        pairs=len(draft.row),
        prompts=train,
        held_out=held_out,
        expected_usd=expected,
        low_usd=low,
        high_usd=sum(row.high_usd for row in rows),
        grading_usd=float(ground.grading_usd[draft.row, draft.column].sum()),
        seconds=max(row.seconds for row in rows),
        saving_width=expected_width(sd, prompts),
        saving_prompts=prompts,
        measured=draft.saving_sd is not None,
        candidates=tuple(rows),
        set_aside=tuple(models[m] for m in range(len(models)) if m not in draft.live and not (draft.column == m).any()),
        planned_at=at,
    )


def _prompts(ground: Ground, draft: Draft) -> tuple[int, int]:
    rows = np.unique(draft.row)
    train = int(ground.train[rows].sum())
    return train, len(rows) - train


def _log_sd(lengths: Lengths, m: int, count: int) -> float:
    """Of what so many answers cost: how sure their candidate's mean is, and their own luck."""
    mean = max(float(lengths.input_log_sd[m]), float(lengths.output_log_sd[m]))
    return math.hypot(mean, ANSWER_LOG_SD / math.sqrt(count))


def _candidate(
    ground: Ground, draft: Draft, lengths: Lengths, endpoints: Mapping[str, Endpoint], m: int
) -> CandidateForecast:
    model, mine = ground.panel.models[m], draft.column == m
    rows, count = draft.row[mine], int(mine.sum())
    into, out = lengths.input_tokens[rows, m], lengths.output_tokens[rows, m]
    expected = float(draft.expected_usd[mine].sum())
    limits = endpoints.get(model, Endpoint())
    concurrency = limits.max_concurrency or PLACES
    seconds = [count * float(lengths.seconds[m]) / concurrency]
    if limits.requests_per_minute:
        seconds.append(SECONDS_PER_MINUTE * count / limits.requests_per_minute)
    if limits.tokens_per_minute:
        seconds.append(SECONDS_PER_MINUTE * float((into + out).sum()) / limits.tokens_per_minute)
    return CandidateForecast(
        model=model,
        pairs=count,
        input_tokens=float(into.mean()),
        output_tokens=float(out.mean()),
        answers=int(lengths.answers[m]),
        expected_usd=expected,
        high_usd=expected * math.exp(NORMAL_95 * _log_sd(lengths, m, count)),
        seconds=max(seconds),
    )
