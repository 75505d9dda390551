"""A decision for people and for programs: the choice, then every candidate and why it lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tenbin.cli.output import faint, good, number, prose, table, usd

if TYPE_CHECKING:
    from tenbin.report.catalogue import Catalogue
    from tenbin.router.dials import Dial
    from tenbin.types import Decision

AMOUNTS = (
    ("decision.tokens_in", "input_tokens"),
    ("decision.tokens_out", "output_tokens"),
    ("decision.cost", "cost_usd"),
    ("decision.seconds", "latency_s"),
)
"""Keys of the titles, and fields of a CandidateView."""


def decision_json(decision: Decision) -> dict[str, Any]:
    """The fields of the `--json` document of one decision."""
    return {
        "query_id": decision.query_id,
        "model": decision.model,
        "reason": decision.reason,
        "trade_off": decision.trade_off,
        "propensity": decision.propensity,
        "candidates": decision.candidates,
        "versions": decision.versions,
    }


def decision_text(decision: Decision, setting: str, words: Catalogue, *, versions: bool = True) -> str:
    """The choice in one line with the setting of the dial, every candidate and why it lost, and what decided."""
    views = decision.candidates
    # Amounts that were never recorded would be a column of dashes.
    amounts = [
        (words(title), [drawn_amount(field, getattr(view, field)) for view in views])
        for title, field in AMOUNTS
        if any(math.isfinite(getattr(view, field)) for view in views)
    ]
    before, after = ([words(f"decision.{key}") for key in keys] for keys in (("model", "quality_sd"), ("loss", "why")))
    headers = [*before, *(title for title, _ in amounts), *after]
    cells = [
        [
            good(view.model) if view.model == decision.model else view.model,
            f"{number(view.quality)} ± {number(view.quality_sd)}",
            *(values[i] for _, values in amounts),
            number(view.loss, 4) if view.eligible else "–",
            said(view.reason, words.lang),
        ]
        for i, view in enumerate(views)
    ]
    head = prose(f"{good(decision.model)}: {said(decision.reason, words.lang)} {faint(f'({setting})')}")
    drawn = table(headers, cells, left=(0, len(headers) - 1), indent=2)
    by = ", ".join(f"{name} {version}" for name, version in decision.versions.items())
    return "\n\n".join([head, drawn, *([faint(words("decision.decided_by", versions=by))] if versions and by else [])])


def drawn_amount(field: str, value: float) -> str:
    """An amount in its unit: dollars, seconds to a tenth, whole tokens."""
    return usd(value) if field == "cost_usd" else number(value, 1 if field == "latency_s" else 0)


def said(reason: str, lang: str) -> str:
    """A reason in a language; what others wrote stays as it is."""
    from tenbin.reasons import Reason  # noqa: PLC0415

    return reason.said(lang) if isinstance(reason, Reason) else reason


def dial_text(dial: Dial, words: Catalogue, mu: float | None = None) -> str:
    """What the dial was set to, in words, and the mu that this came to."""
    came_to = "" if mu is None else f", mu {mu:.4g}"
    if dial.best or dial.mu is not None:
        return f"mu {dial.mu or 0.0:.4g}"
    if dial.max_cost_usd is not None:
        return words("decision.at_most", cost=usd(dial.max_cost_usd)) + came_to
    return words("decision.keeps", share=f"{100 * (dial.min_quality or 0.0):.4g}") + came_to


def sweep_text(decisions: Sequence[dict[str, Any]], words: Catalogue) -> str:
    """The decisions of one prompt along the dial."""
    cells = [
        [f"{row['mu']:.4f}", row["model"], number(row["quality"]), usd(row["cost_usd"]), number(row["loss"], 4)]
        for row in decisions
    ]
    headers = ["mu", *(words(f"decision.{key}") for key in ("model", "quality", "cost", "loss"))]
    return table(headers, cells, left=(0, 1))
