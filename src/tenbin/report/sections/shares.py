"""Who answers how much along the dial."""

from __future__ import annotations

from tenbin.report.charts.shares import layers
from tenbin.report.charts.shares import shares as picture
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, name
from tenbin.report.sections.part import figure, folded, part
from tenbin.report.table import Column, cell, table


def shares(edition: Edition) -> Markup:
    """The stacked area, its legend, and a table of some settings."""
    words = edition.words
    stack = layers(edition)
    keys = [
        el(
            "li",
            el(
                "svg",
                el(
                    "path", d="M0 0H14V12H0Z", class_="layer" if layer.model else "layer rest",
                    fill_opacity=f"{layer.tint:.2f}",
                ),
                viewBox="0 0 14 12", class_="box", aria_hidden="true",
            ),
            name(layer.model) if layer.model else words("shares.rest"),
        )
        for layer in stack
    ]  # fmt: skip
    return part(
        "shares",
        words("shares.title"),
        words("shares.lead"),
        figure(picture(edition), "", el("ul", *keys, class_="legend")),
        folded(words("shares.table"), _table(edition)),
    )


def _table(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    last = len(edition.dial) - 1
    chosen = sorted({0, last // 4, last // 2, 3 * last // 4, last, edition.default_setting()})
    columns = [Column(words("models.model"), False)]
    columns += [Column(f"μ = {numbers.mu(edition.dial[k].mu)}") for k in chosen]
    used = [m for m in range(len(edition.evaluation.models)) if any(edition.dial[k].shares[m] > 0.0 for k in chosen)]
    rows = [
        (
            name(edition.evaluation.models[m]),
            *(cell(numbers.percent(edition.dial[k].shares[m])) for k in chosen),
        )
        for m in used
    ]
    return table(columns, rows, caption=words("shares.table"))
