"""The hold-out: prompts set aside by lot before anything is asked, for calibration and for the final test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tenbin.pilot.plan.distinct import near_key
from tenbin.pilot.prompt import PilotPrompt, Split

SHARES: tuple[tuple[Split, float], ...] = (("calibration", 0.1), ("test", 0.2))
MOST_NEAR = 20
"""What more prompts than this share but for numbers and punctuation is a template, and they are no near-duplicates."""
MOST_HELD_OUT = 1_500
"""No more are set aside: beyond that many, prompts serve better for learning."""


def draw_splits(prompts: Sequence[PilotPrompt], *, seed: int) -> tuple[Split, ...]:
    """The split of every prompt: each as likely as any other to be held out, near-duplicates always together."""
    near = [near_key(prompt) for prompt in prompts]
    shared = Counter(near)
    members: dict[str, list[int]] = {}
    for i, key in enumerate(near):
        members.setdefault(key if shared[key] <= MOST_NEAR else f"{key} {i}", []).append(i)
    keys = sorted(members)
    order = np.random.default_rng(seed).permutation(len(keys))
    bound = min(1.0, MOST_HELD_OUT / (len(prompts) * sum(share for _, share in SHARES))) if prompts else 1.0
    splits: list[Split] = ["train"] * len(prompts)
    start = 0.0
    for split, share in SHARES:
        end = start + share * bound * len(keys)
        for k in order[round(start) : round(end)].tolist():
            for i in members[keys[k]]:
                splits[i] = split
        start = end
    return tuple(splits)
