"""The top of the page: what to do, the figures it rests on, why, and the commands."""

from __future__ import annotations

import math
from pathlib import Path

from tenbin.pilot.commands import next_commands
from tenbin.pilot.telling import Telling
from tenbin.report.markup import Markup, el
from tenbin.report.numbers import MISSING
from tenbin.report.sections.part import fact
from tenbin.report.sections.verdict import masthead
from tenbin.types import Figure


def verdict(told: Telling, title: str, root: Path) -> Markup:
    """Masthead, headline, facts, reasons, commands, scope."""
    commands = next_commands(told.status, root)
    facts = _facts(told)
    return el(
        "header",
        masthead(title, told.headline()),
        el("dl", *facts, class_="facts") if facts else Markup(""),
        el("div", *(el("p", sentence) for sentence in told.reasons()), class_="prose"),
        el("h3", told.words("page.next")) if commands else Markup(""),
        el("pre", el("code", "\n".join(commands))) if commands else Markup(""),
        el("p", told.scope(), class_="scope"),
        class_=f"verdict {told.status.verdict.kind}",
    )


def _facts(told: Telling) -> list[Markup]:
    """The saving, proved where it is proved, then what was spent and when it comes back."""
    status, words, numbers = told.status, told.words, told.numbers
    facts = []
    reference = status.settings.reference
    if status.proof is not None:
        proof, key = status.proof, told.proved(status.proof)
        if math.isnan(proof.ratio):
            facts.append(_fact(told, proof.quality_ratio, words("facts.proved_finest", **key), proof.n_prompts))
        else:
            facts.append(_fact(told, proof.saving, words("facts.proved", **key), proof.n_prompts))
    elif status.saving is not None:
        key = {"kept": told.kept, "reference": reference, "n": numbers.plain(status.n_measured)}
        facts.append(_fact(told, status.saving.saving, words("facts.saving", **key), status.n_measured))
    budget = numbers.usd(status.settings.budget_usd)
    facts.append(fact(numbers.usd(status.tally.spent_usd), words("facts.spent", budget=budget)))
    if status.payback is not None:
        queries = told.count(status.payback.queries.value)
        if queries != MISSING:
            label = words("facts.payback", kept=told.kept)
            facts.append(fact(queries, label, told.within(status.payback.queries)))
    return facts


def _fact(told: Telling, figure: Figure, label: str, n: int) -> Markup:
    return fact(told.percent(figure.value, n), label, told.share_within(figure, n))
