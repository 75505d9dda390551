"""What was measured and how, what was left out, and what the words mean."""

from __future__ import annotations

import math

from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.notes import FORMS, told_note
from tenbin.report.sections.part import folded, part
from tenbin.report.table import Column, cell, table

TERMS = ("quality", "cost", "mu", "curve", "zero", "aiq", "aiq_log", "qnc", "no_harm", "ece", "r2", "arena", "interval")


def method(edition: Edition) -> Markup:
    """The data, the versions, the seeds and the definitions: enough to repeat the measurement."""
    words = edition.words
    return part(
        "method",
        words("method.title"),
        "",
        el("dl", *_lines(edition), class_="ledger"),
        _groups(edition),
        folded(words("method.terms"), el("dl", *_terms(edition), class_="terms")),
    )


def honest(edition: Edition) -> Markup:
    """What was dropped or left out, in numbers, and the notes of the evaluation."""
    words, numbers, data = edition.words, edition.numbers, edition.evaluation.data
    notes = edition.evaluation.notes
    counted = [
        words(key, n=numbers.plain(count))
        for key, count in (
            ("notes.other_split", data.n_other_split),
            ("notes.seen", data.n_seen_dropped),
            ("notes.incomplete", 0 if any(map(FORMS["notes.gaps"].fullmatch, notes)) else data.n_incomplete),
        )
        if count
    ]
    said = counted if counted or data.n_incomplete else [words("notes.nothing")]
    if data.n_clusters < data.n_test:
        said += [words("notes.clusters", n=numbers.plain(data.n_clusters), test=numbers.plain(data.n_test))]
    said += [words("notes.labelling_only")]
    return part(
        "notes",
        words("notes.title"),
        "",
        el(
            "ul",
            *(el("li", sentence) for sentence in said),
            *(_note(edition, sentence) for sentence in notes),
            class_="notes",
        ),
    )


def _note(edition: Edition, sentence: str) -> Markup:
    """A note of the evaluation; what the catalogue cannot say is shown as it was written, in English."""
    told = told_note(sentence, edition.words)
    return el("li", sentence, lang="en") if told is None else el("li", told)


def _lines(edition: Edition) -> list[Markup]:
    words, numbers, evaluation = edition.words, edition.numbers, edition.evaluation
    data = evaluation.data
    a, b = evaluation.cost_range_usd
    lines: list[tuple[str, str]] = [
        (
            words("method.rows"),
            words("method.rows_of", test=numbers.plain(data.n_test), rows=numbers.plain(data.n_rows)),
        ),
        (words("method.train"), numbers.plain(data.n_train)),
        (words("method.reference"), name(evaluation.reference)),
        (words("method.costs"), words.get(f"method.cost_{data.cost_source}", data.cost_source)),
        (words("method.range"), numbers.between(numbers.per_thousand_usd(a), numbers.per_thousand_usd(b))),
        (
            words("method.intervals"),
            words(
                "method.bootstrap",
                level=numbers.percent(evaluation.level, 0),
                resamples=numbers.plain(evaluation.resamples),
                clusters=numbers.plain(data.n_clusters),
                seed=str(evaluation.seed),
            ),
        ),
    ]
    if math.isfinite(evaluation.verdict.chance):
        lines.append((words("method.chance"), f"p = {numbers.plain(evaluation.verdict.chance, 3)}"))
    if data.weighted:
        lines.append((words("method.weights"), words("method.weighted")))
    lines.append((words("method.hash"), el("code", data.data_hash or "–")))
    for key, value in data.versions.items():
        known = words.get(f"version.{key}", key)
        lines.append((known, numbers.day(value) if key == "date" else el("code", value)))
    return [el("div", el("dt", term), el("dd", what)) for term, what in lines]


def _groups(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    groups = edition.evaluation.data.groups
    if len(groups) < 2:
        return Markup("")
    total = sum(count for _, count in groups) or 1
    rows = [
        (name(group), cell(numbers.plain(count)), cell(numbers.percent(count / total)))
        for group, count in sorted(groups, key=lambda pair: (-pair[1], pair[0]))
    ]
    columns = [Column(words("method.group"), False), Column(words("method.queries")), Column(words("method.share"))]
    return folded(words("method.groups", n=str(len(groups))), table(columns, rows, caption=words("method.group")))


def _terms(edition: Edition) -> list[Markup]:
    words = edition.words
    return [join(el("dt", words(f"term.{key}")), el("dd", words(f"term.{key}_is"))) for key in TERMS]
