"""Plans a pilot's stages: the folder of a new one, and the next stage of one that has answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenbin.errors import UsageError
from tenbin.features import read_conversation, surface_and_tokens
from tenbin.pilot.believed import believed
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.chosen import NOTHING_LEFT
from tenbin.pilot.plan.draft import Draft
from tenbin.pilot.plan.forecast import dearest_factor, forecast
from tenbin.pilot.plan.grading import grading_usd
from tenbin.pilot.plan.ground import Ground
from tenbin.pilot.plan.ladder import FIRST_CHOSEN, draft_stage
from tenbin.pilot.plan.lengths import Lengths, expect_lengths
from tenbin.pilot.plan.setup import PilotSetup
from tenbin.pilot.plan.stage import StagePlan
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Record
from tenbin.pilot.repriced import repriced
from tenbin.pilot.results import results_of
from tenbin.prices import PriceBook
from tenbin.types import CELLS, Bools, Floats, Panel

GROWTH = 0.5
"""From stage 2 on a stage costs half as much as everything before it: each looks anew at half as much again."""
LEAST_STAGE_USD = 0.01
"""Where next to nothing was spent before, a stage is bounded by its prompts alone."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage and its pairs, ready to be written."""

    stage: StagePlan
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What a pilot has done when its next stage is planned: empty for a new one.

    `pairs` are those of the earlier stages, `records` the journal, `spent_usd` what counts against the budget.
    """

    pairs: Sequence[Pair] = ()
    records: Sequence[Record] = ()
    spent_usd: float = 0.0


def plan_stage(
    prompts: Sequence[PilotPrompt],
    setup: PilotSetup,
    history: History,
    *,
    stage: int,
    reference: str | None,
    budget_usd: float,
    seed: int,
    at: float,
) -> tuple[Planned, str]:
    """The next stage, which never forecasts more than what is left of the budget, and the name of the reference.

    `reference` None takes the dearest candidate. The same seed and answers give the same stage. Raises UsageError
    where the budget, the prompts or the answers do not carry another stage.
    """
    panel = full_panel(prompts, setup.names, history.records, setup.prices)
    _, text_tokens = surface_and_tokens([read_conversation(prompt.asked) for prompt in prompts])
    lengths = expect_lengths(text_tokens, setup.candidates, panel)
    answer_usd = setup.prices.rates(setup.names).cost_usd(lengths.input_tokens, lengths.output_tokens)
    named = reference or setup.names[int(answer_usd.mean(axis=0).argmax())]
    ground = Ground(
        panel=panel,
        planned=_planned(prompts, setup.names, history.pairs),
        cluster=np.array([prompt.cluster for prompt in prompts], dtype=np.int64),
        answer_usd=answer_usd,
        grading_usd=grading_usd(setup.grader, prompts, setup.names, lengths.output_tokens, history.records),
        reference=setup.names.index(named),
        prices=setup.prices,
        promise=setup.promise,
    )
    left = budget_usd - history.spent_usd
    draft = draft_stage(ground, stage, _allowed(left, history, lengths, stage), np.random.default_rng([seed, stage]))
    planned = forecast(ground, draft, lengths, setup.endpoints, stage, at)
    while planned.high_usd > left:
        draft = draft.without_last_prompt()
        if not len(draft.row):
            raise UsageError(NOTHING_LEFT, fix=f"${left:.2g} is left: give a larger --budget")
        planned = forecast(ground, draft, lengths, setup.endpoints, stage, at)
    return Planned(planned, _pairs(prompts, setup.names, draft, stage)), named


def full_panel(
    prompts: Sequence[PilotPrompt], models: tuple[str, ...], records: Sequence[Record], prices: PriceBook | None = None
) -> Panel:
    """All prompts in their order by all candidates, NaN where nothing was bought; dollars at today's `prices`.

    Where people labelled enough answers, qualities are corrected by them, as in everything that the pilot tells.
    """
    bought = believed(repriced(results_of(prompts, records), prices)).panel(models)
    at = {prompt.query_id: i for i, prompt in enumerate(prompts)}
    rows = [at[query.query_id] for query in bought.queries]
    cells: dict[str, Any] = {}
    for name in CELLS:
        cells[name] = np.full((len(prompts), len(models)), 1.0 if name == "label_propensity" else np.nan)
        if rows:
            cells[name][rows] = getattr(bought, name)
    return Panel(
        queries=tuple(prompt.query() for prompt in prompts),
        models=models,
        split=tuple(prompt.split for prompt in prompts),
        **cells,
    )


def _allowed(left: float, history: History, lengths: Lengths, stage: int) -> float:
    """Expected dollars of a stage: even at the upper end of the forecast it stays within what is left."""
    if left <= 0.0:
        raise UsageError("the budget is spent", fix="give a larger --budget")
    bound = left / dearest_factor(lengths)
    return bound if stage < FIRST_CHOSEN else min(bound, max(GROWTH * history.spent_usd, LEAST_STAGE_USD))


def _planned(prompts: Sequence[PilotPrompt], models: tuple[str, ...], pairs: Sequence[Pair]) -> Bools:
    row = {prompt.query_id: i for i, prompt in enumerate(prompts)}
    column = {model: m for m, model in enumerate(models)}
    planned = np.zeros((len(prompts), len(models)), dtype=np.bool_)
    for pair in pairs:
        if pair.query_id in row and pair.model in column:
            planned[row[pair.query_id], column[pair.model]] = True
    return planned


def _pairs(prompts: Sequence[PilotPrompt], models: tuple[str, ...], draft: Draft, stage: int) -> tuple[Pair, ...]:
    cells = (draft.row, draft.column, draft.repeat, draft.propensity, draft.expected_usd)
    firsts = set(np.unique(draft.row, return_index=True)[1].tolist())
    return tuple(
        Pair(
            prompts[row].query_id,
            models[column],
            repeat,
            stage,
            propensity,
            usd,
            _named(models, draft.passed_over[row]) if place in firsts else None,
        )
        for place, (row, column, repeat, propensity, usd) in enumerate(
            zip(*(array.tolist() for array in cells), strict=True)
        )
    )


def _named(models: tuple[str, ...], chance: Floats) -> dict[str, float]:
    """The chances above 0, by candidate."""
    return {models[m]: float(chance[m]) for m in np.flatnonzero(chance)}
