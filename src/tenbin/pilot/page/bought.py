"""What was bought, stage by stage and candidate by candidate, and everything that went wrong."""

from __future__ import annotations

from tenbin.pilot.telling import Telling
from tenbin.report.markup import Markup, el, name
from tenbin.report.sections.part import part
from tenbin.report.table import Column, cell, table


def bought(told: Telling) -> Markup:
    """Stages and candidates in numbers."""
    words, numbers, counted = told.words, told.numbers, told.status.tally
    stages = [
        (
            cell(words("bought.nth", stage=numbers.plain(it.stage))),
            *(cell(numbers.plain(n)) for n in (it.planned, it.bought, it.given_up, it.left)),
            cell(numbers.usd(it.left_usd)),
        )
        for it in counted.stages
    ]
    candidates = [
        (
            name(one.model),
            *(cell(numbers.plain(n)) for n in (one.planned, one.bought, one.graded)),
            cell(numbers.usd(one.mean_cost_usd)),
            cell(numbers.plain(one.mean_latency_s, 1)),
            cell(numbers.plain(one.mean_output_tokens)),
        )
        for one in counted.candidates
    ]
    return part(
        "bought",
        words("bought.title"),
        told.spending(),
        table(
            _columns(told, "stage", "planned", "bought", "given_up", "left", "left_usd"),
            stages,
            caption=words("bought.stage"),
        ),
        el("h3", words("bought.by_candidate")),
        table(
            _columns(told, "model", "planned", "bought", "graded", "cost", "seconds", "tokens"),
            candidates,
            caption=words("bought.by_candidate"),
        ),
    )


def odd(told: Telling) -> Markup:
    """Everything that went wrong, one sentence each."""
    said = told.oddities() or [told.words("odd.none")]
    return part(
        "odd", told.words("odd.title"), "", el("ul", *(el("li", sentence) for sentence in said), class_="notes")
    )


def _columns(told: Telling, first: str, *others: str) -> list[Column]:
    return [Column(told.words(f"bought.{first}"), False), *(Column(told.words(f"bought.{key}")) for key in others)]
