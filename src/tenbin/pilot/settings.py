"""What a pilot was told when it was planned."""

from __future__ import annotations

import msgspec


class PilotSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of one pilot (`settings.json`), fixed by `pilot plan`; only the budget may be changed later.

    `candidates` and `profile` are names in `config` (a tenbin.toml); `reference` is the candidate that savings are
    held against, the dearest unless named. `metric` is the profile's when it was planned, `metric_name` its identity.
    `budget_usd` bounds everything spent, grading included. `queries_per_day` is the user's traffic where known.
    """

    profile: str
    candidates: tuple[str, ...]
    reference: str
    metric: str
    metric_name: str
    budget_usd: float
    config: str
    prompts_source: str
    prompts_hash: str
    seed: int = 0
    queries_per_day: float | None = None
    prices: str | None = None
    created_at: float = 0.0
