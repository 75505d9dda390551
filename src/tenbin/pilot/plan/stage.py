"""A planned stage as people and later commands read it (an entry of `stages.json`)."""

from __future__ import annotations

import msgspec

from tenbin.pilot.plan.draft import Kind


class CandidateForecast(msgspec.Struct, frozen=True):
    """One candidate's part of a stage: mean tokens per answer, dollars of all, seconds under its own rate limits.

    `answers` is how many earlier answers the tokens rest on; 0: on the prompts alone.
    """

    model: str
    pairs: int
    input_tokens: float
    output_tokens: float
    answers: int
    expected_usd: float
    high_usd: float
    seconds: float


class StagePlan(msgspec.Struct, frozen=True):
    """What a stage was planned for, before anything of it was spent.

    `prompts` are training prompts, `held_out` those of calibration and test; `low_usd` and `high_usd` bound the
    dollars with 95 %. `seconds` is the expected duration. `saving_width` is the expected width of the saving's 95 %
    interval after the stage, a share of the reference's dollars, from `saving_prompts` prompts; `measured` says
    whether the spread behind it was measured or is assumed. `set_aside` are candidates of which nothing is bought.
    """

    stage: int
    kind: Kind
    pairs: int
    prompts: int
    held_out: int
    expected_usd: float
    low_usd: float
    high_usd: float
    grading_usd: float
    seconds: float
    saving_width: float
    saving_prompts: int
    measured: bool
    candidates: tuple[CandidateForecast, ...]
    set_aside: tuple[str, ...]
    planned_at: float = 0.0
