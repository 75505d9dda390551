"""The notes of an evaluation in the language of its reader: they are written in English, and most are known by form."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tenbin.report.catalogue import Catalogue

FORMS: Mapping[str, re.Pattern[str]] = {
    key: re.compile(form, re.DOTALL)
    for key, form in (
        ("notes.ignored", "ignored, because the router does not know them: (?P<models>.*)"),
        (
            "notes.repriced",
            r"tokens at the router's prices, which count, cost another sum than the recorded cost_usd \(times\): "
            r"(?P<models>.*)",
        ),
        ("notes.scaled", r"recorded dollars are counted at the router's prices \(times\): (?P<models>.*)"),
        (
            "notes.gaps",
            r"(?P<n>\d+) quer(?:y lacks|ies lack) a quality or a cost for some model "
            r"\(most often (?P<model>.*), (?P<lacking>\d+) of (?P<of>\d+)\): not in the curves",
        ),
    )
}
"""What the sample says (`tenbin.evaluate.sample`), by the key of the same sentence in the catalogue."""
COUNTS = frozenset({"n", "lacking", "of"})


def told_note(note: str, words: Catalogue) -> str | None:
    """The note in the language of `words`; None for one of another form, which stays as it was written."""
    for key, form in FORMS.items():
        if found := form.fullmatch(note):
            told = found.groupdict()
            return words(key, **{name: f"{int(what):,}" if name in COUNTS else what for name, what in told.items()})
    return None
