"""A status as a JSON document: for programs, and inside the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenbin.evaluate.result import plain
from tenbin.pilot.commands import next_commands
from tenbin.pilot.measure import KEPT
from tenbin.pilot.status import Status
from tenbin.pilot.telling import Telling

FORECAST = ("stage", "kind", "pairs", "prompts", "held_out", "expected_usd", "low_usd", "high_usd", "saving_width")
"""What of the next stage's plan the document tells."""


def status_document(status: Status, lang: str, root: Path) -> dict[str, Any]:
    """The fields of one pilot as JSON values; sentences are in `lang`, commands name the folder of pilots `root`."""
    told, settings, counted = Telling.of(status, lang), status.settings, status.tally
    following = status.next_stage
    document = {
        "name": status.name,
        "profile": settings.profile,
        "metric": status.metric,
        "reference": settings.reference,
        "queries_per_day": settings.queries_per_day,
        "target": KEPT,
        "prompts": status.prompts,
        "asked": status.asked,
        "spending": {
            "budget_usd": settings.budget_usd,
            "spent_usd": counted.spent_usd,
            "unknown_usd": counted.unknown_usd,
            "left_usd": status.budget_left_usd,
        },
        "stages": counted.stages,
        "candidates": counted.candidates,
        "odd": told.oddities(),
        "in_play": status.in_play,
        "aside": status.aside,
        "measured_prompts": status.n_measured,
        "singles": status.singles,
        "savings": status.savings,
        "judge": status.judge,
        "head_room": status.head_room,
        "pace": status.pace,
        "next_stage": None if following is None else {name: getattr(following, name) for name in FORECAST},
        "proof": status.proof,
        "payback": status.payback,
        "verdict": {
            "kind": status.verdict.kind,
            "reason": status.verdict.reason,
            "model": status.verdict.model,
            "stage": status.verdict.stage,
            "usd": status.verdict.usd,
            "sentences": [told.headline(), *told.reasons()],
            "next": next_commands(status, root),
        },
    }
    found: dict[str, Any] = plain(document)
    return found
