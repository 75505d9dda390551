"""Are the estimates to be believed: quality in bins, then tokens, dollars and seconds as ratios."""

from __future__ import annotations

from tenbin.evaluate.result import AmountCalibration
from tenbin.report.charts.reliability import reliability
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.sections.part import fact, figure, folded, part
from tenbin.report.table import Column, cell, table

AMOUNTS = ("input_tokens", "output_tokens", "cost_usd", "latency_s")


def calibration(edition: Edition) -> Markup:
    """The reliability picture of all models together, the amounts, and both per model."""
    words = edition.words
    whole = next((row for row in edition.evaluation.calibration.quality if row.model == ""), None)
    matter: list[str] = []
    if whole is not None and whole.bins:
        picture = figure(reliability(edition, whole), words("calibration.caption"))
        matter.append(el("div", picture, _facts(edition), class_="pair"))
    matter.append(_amounts(edition))
    if any(row.model for row in edition.evaluation.calibration.quality):
        matter.append(folded(words("calibration.per_model"), _quality_table(edition)))
    if any(row.model for key in AMOUNTS for row in _rows(edition, key)):
        matter.append(folded(words("calibration.amounts_per_model"), *_amounts_per_model(edition)))
    return part("calibration", words("calibration.title"), words("calibration.lead"), *matter)


def _rows(edition: Edition, key: str) -> tuple[AmountCalibration, ...]:
    rows: tuple[AmountCalibration, ...] = getattr(edition.evaluation.calibration, key)
    return rows


def _facts(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    whole = next(row for row in edition.evaluation.calibration.quality if row.model == "")
    return el(
        "dl",
        fact(numbers.points_of(whole.ece), words("calibration.ece"), words("calibration.ece_note")),
        fact(numbers.plain(whole.r2, 3), words("calibration.r2"), words("calibration.r2_note")),
        fact(numbers.plain(whole.brier, 3), words("calibration.brier"), words("calibration.brier_note")),
        class_="facts small-facts",
    )


def _amount_cells(edition: Edition, row: AmountCalibration) -> tuple[str, ...]:
    numbers = edition.numbers
    return (
        cell(numbers.plain(row.ratio_of_means, 3)),
        cell(numbers.plain(row.r2_log, 3)),
        cell(numbers.percent(row.median_ape, 0)),
        cell(numbers.plain(row.n)),
    )


def _amount_columns(edition: Edition, first: str) -> list[Column]:
    words = edition.words
    return [
        Column(first, False), Column(words("calibration.ratio")), Column(words("calibration.r2_log")),
        Column(words("calibration.ape")), Column(words("calibration.n")),
    ]  # fmt: skip


def _amounts(edition: Edition) -> Markup:
    words = edition.words
    rows = [
        (words(f"calibration.{key}"), *_amount_cells(edition, row))
        for key in AMOUNTS
        for row in _rows(edition, key)
        if row.model == ""
    ]
    if not rows:
        return Markup("")
    heading = words("calibration.amounts")
    return join(el("h3", heading), table(_amount_columns(edition, words("calibration.amount")), rows, caption=heading))


def _amounts_per_model(edition: Edition) -> list[Markup]:
    words = edition.words
    tables = []
    for key in AMOUNTS:
        rows = [(name(row.model), *_amount_cells(edition, row)) for row in _rows(edition, key) if row.model]
        if rows:
            heading = words(f"calibration.{key}")
            columns = _amount_columns(edition, words("models.model"))
            tables.append(join(el("h3", heading), table(columns, rows, caption=heading)))
    return tables


def _quality_table(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    rows = [
        (
            name(row.model),
            cell(numbers.percent(row.mean_predicted)),
            cell(numbers.percent(row.mean_observed)),
            cell(numbers.points_of(row.ece)),
            cell(numbers.plain(row.r2, 3)),
            cell(numbers.plain(row.brier, 3)),
        )
        for row in edition.evaluation.calibration.quality
        if row.model
    ]
    columns = [
        Column(words("models.model"), False), Column(words("calibration.predicted")),
        Column(words("calibration.observed")), Column(words("calibration.ece")), Column("R²"), Column("Brier"),
    ]  # fmt: skip
    return table(columns, rows, caption=words("calibration.per_model"))
