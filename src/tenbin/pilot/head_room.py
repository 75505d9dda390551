"""How far above blind mixtures a perfect router would be, lucky answers taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tenbin.evaluate.intervals import interval
from tenbin.evaluate.oracle import head_room
from tenbin.pilot.field import Field
from tenbin.pilot.results import Results
from tenbin.quality.noise import label_noise
from tenbin.types import Bools, Figure, Floats

LEAST_REPEATS = 10
"""Fewer second answers than this tell luck from skill too badly to say anything."""
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class HeadRoom:
    """Mean quality above blind mixtures at the same cost; None, with the `reason`, where not identifiable.

    `n_prompts` prompts are labelled for every candidate in play, `n_repeats` of the answers to them were given twice.
    """

    value: Figure | None
    reason: Literal["no_repeats", "few"] | None
    n_prompts: int
    n_repeats: int


def head_room_of(results: Results, field: Field, *, seed: int) -> HeadRoom:
    """The head room on the complete prompts of the field, with the noise that second answers show (bootstrap)."""
    panel = field.panel
    # As graded, not as people corrected the grades: second answers are compared with what the same grader said.
    graded = results.qualities(panel)
    complete: Bools = np.logical_not(np.any(np.isnan(graded) | np.isnan(panel.cost_usd), axis=1))
    rows, labels = panel.take(complete), graded[complete]
    again = results.qualities(rows, repeat=1)
    n_repeats = int((~np.isnan(again)).sum())
    if n_repeats < LEAST_REPEATS:
        return HeadRoom(None, "few" if n_repeats else "no_repeats", len(rows), n_repeats)
    rng = np.random.default_rng(seed)
    draws = [np.arange(len(rows)), *(rng.integers(0, len(rows), len(rows)) for _ in range(RESAMPLES))]
    found = [_room(labels[draw], rows.cost_usd[draw], again[draw], field.reference) for draw in draws]
    known = np.array([room for room in found if not np.isnan(room)])
    return HeadRoom(interval(known), None, len(rows), n_repeats)


def _room(labels: Floats, cost_usd: Floats, again: Floats, reference: int) -> float:
    """The head room of one sample; NaN where hardly an answer of it was given twice."""
    noise = label_noise(labels, again, np.full_like(again, np.nan)).label_sd_of
    return float("nan") if np.isnan(noise).any() else head_room(labels, cost_usd, noise**2, reference)
