"""What the sample says is known by form: a note that changes its words would be told in English on a Japanese page."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tenbin.evaluate.sample import gaps_note, scale_notes
from tenbin.report import render_report
from tenbin.report.catalogue import load_catalogue
from tenbin.report.notes import told_note
from tests.report.made import make_evaluation
from tests.report.reading import Page

LACKING = np.array([[True, False], [False, True], [False, True]])
ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("note", "japanese"),
    [
        (
            gaps_note(("a", "b (c), 1 of 2"), LACKING),
            "欠けている3件は、予測の精度の検証だけに使いました（最も多いのは b (c), 1 of 2 で、3件のうち2件）",
        ),
        (gaps_note(("a", "b"), LACKING[:1]), "欠けている1件は"),
        (
            gaps_note(("a", "4000"), LACKING.repeat(1000, axis=0)),
            "欠けている3,000件は、予測の精度の検証だけに使いました（最も多いのは 4000 で、3,000件のうち2,000件）",
        ),
        (scale_notes(("a", "b"), ONES, ONES * [1.0, 2.5])[0], "価格表に合わせて換算しています（倍率）：b 2.50。"),
    ],
)
def test_notes_are_told_in_the_language_of_the_reader(note: str, japanese: str) -> None:
    told = {lang: told_note(note, load_catalogue(lang)) for lang in ("en", "ja")}
    assert japanese in str(told["ja"])
    assert told["en"] is not None
    assert told_note("something else", load_catalogue("ja")) is None


@pytest.mark.parametrize("copies", [0, 3])
def test_copies_of_prompts_are_told_where_there_are_any(copies: int) -> None:
    made = make_evaluation()
    data = dataclasses.replace(made.data, n_clusters=made.data.n_test - copies)
    text = Page(render_report(dataclasses.replace(made, data=data))).text()
    assert ("copies of one are counted together, which widens the intervals" in text) == bool(copies)
