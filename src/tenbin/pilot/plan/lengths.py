"""Tokens and seconds of answers that nobody has given yet: from the prompt at first, from the answers as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.pilot.run.bound import cap_tokens
from tenbin.types import Bools, Candidate, Floats, Panel

LEAST_OUTPUT_TOKENS = 200.0
OUTPUT_PER_INPUT = 0.5
MOST_COUNTED_INPUT = 1_000.0
"""Before any answer: 200 tokens and half as many as the prompt has, of which 1,000 count."""
REASONING_TOKENS = 1_500.0
"""More for a candidate that reasons: hidden reasoning is billed as output."""
CALL_INPUT_TOKENS = 10.0
"""What a provider wraps around a prompt."""
PRIOR_LOG_SD = 0.6
"""Standard deviation of the logarithm of a candidate's mean about that guess: three times either way with 95 %."""
PRIOR_ANSWERS = 0.5
"""The guess counts like that many answers: they may be fifty times shorter, a word, or ten times longer."""
ANSWER_LOG_SD = 0.8
"""Spread of single answers about their candidate's mean."""
LEAST_MEAN_TOKENS = 0.5
"""Where all answers are empty."""
INPUT_LOG_SD = 0.1
SECONDS_TO_FIRST, TOKENS_PER_SECOND = 1.0, 60.0
"""Before any answer."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Expected input and output tokens [n, M] of one answer, expected seconds [M], and how sure the means are.

    `input_log_sd` and `output_log_sd` [M] are standard deviations of the logarithm of each candidate's mean; `answers`
    [M] how many answers say so.
    """

    input_tokens: Floats
    output_tokens: Floats
    seconds: Floats
    input_log_sd: Floats
    output_log_sd: Floats
    answers: Floats


def expect_lengths(text_tokens: Floats, candidates: Sequence[Candidate], panel: Panel) -> Lengths:
    """From the prompts' estimated tokens [n] and the answers in `panel` (same prompts, same candidates)."""
    said = ~np.isnan(panel.output_tokens)
    answers = said.sum(axis=0).astype(np.float64)
    guess_in = text_tokens[:, None] + CALL_INPUT_TOKENS + np.zeros(len(candidates))
    guess_out = _guessed_output(text_tokens, candidates)
    input_tokens = guess_in * _ratio(panel.input_tokens, guess_in, said)
    scale = _ratio(panel.output_tokens, guess_out, said)
    caps = np.array([float(cap_tokens(candidate)) for candidate in candidates])
    output_tokens = np.minimum(guess_out * scale, caps)
    prior = PRIOR_LOG_SD * PRIOR_ANSWERS / (PRIOR_ANSWERS + answers)
    own = ANSWER_LOG_SD / np.sqrt(np.maximum(answers, 1.0))
    return Lengths(
        input_tokens,
        output_tokens,
        _seconds(panel.latency_s, output_tokens),
        INPUT_LOG_SD * np.sqrt(PRIOR_ANSWERS / (PRIOR_ANSWERS + answers)),
        np.hypot(prior, own * answers / (PRIOR_ANSWERS + answers)),
        answers,
    )


def _guessed_output(text_tokens: Floats, candidates: Sequence[Candidate]) -> Floats:
    plain = LEAST_OUTPUT_TOKENS + OUTPUT_PER_INPUT * np.minimum(text_tokens, MOST_COUNTED_INPUT)
    extra = np.array([REASONING_TOKENS if _reasons(candidate) else 0.0 for candidate in candidates])
    guess: Floats = plain[:, None] + extra
    return guess


def _reasons(candidate: Candidate) -> bool:
    if candidate.reasoning_effort is not None:
        return candidate.reasoning_effort not in ("none", "minimal")
    return candidate.capabilities is not None and "reasoning" in candidate.capabilities


def _ratio(observed: Floats, guess: Floats, said: Bools) -> Floats:
    """Observed over guessed totals [M], drawn to 1 on the scale of logarithms, where the guess errs."""
    count = said.sum(axis=0)
    got = np.maximum(np.where(said, observed, 0.0).sum(axis=0), LEAST_MEAN_TOKENS * count)
    expected = np.where(said, guess, 0.0).sum(axis=0)
    drawn: Floats = (got / np.where(count > 0, expected, 1.0)) ** (count / (count + PRIOR_ANSWERS))  # 0 ** 0 is 1
    return drawn


def _seconds(latency_s: Floats, output_tokens: Floats) -> Floats:
    known = ~np.isnan(latency_s)
    count = known.sum(axis=0)
    guess = SECONDS_TO_FIRST + output_tokens.mean(axis=0) / TOKENS_PER_SECOND
    total = np.where(known, latency_s, 0.0).sum(axis=0)
    seconds: Floats = (total + PRIOR_ANSWERS * guess) / (count + PRIOR_ANSWERS)
    return seconds
