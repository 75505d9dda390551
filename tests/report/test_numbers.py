"""Numbers as people read them in each language."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.report.numbers import MISSING, Numbers

EN, JA = Numbers("en"), Numbers("ja")


@pytest.mark.parametrize(
    ("value", "english", "japanese"),
    [
        (1234.5, "$1,234", "1,234ドル"),
        (12.345, "$12.35", "12.35ドル"),
        (1.0, "$1.00", "1.00ドル"),
        (0.2041, "$0.204", "0.204ドル"),
        (0.00001234, "$0.0000123", "0.0000123ドル"),
        (-2.5, "−$2.50", "−2.50ドル"),
        (0.0, "$0", "0ドル"),
        (math.nan, MISSING, MISSING),
        (None, MISSING, MISSING),
    ],
)
def test_dollars(value: float | None, english: str, japanese: str) -> None:
    assert EN.usd(value) == english
    assert JA.usd(value) == japanese


def test_dollars_in_a_sentence_are_written_as_beside_it() -> None:
    said = "（-0.004）、安くもない（+$0.0047）、$1,234.50の節約、$7"
    assert JA.usd_in(said) == "（-0.004）、安くもない（+0.0047ドル）、1,234.50ドルの節約、7ドル"
    assert EN.usd_in("saving $0.003, or $7.") == "saving $0.003, or $7."


def test_percentages_points_and_missing_numbers() -> None:
    assert EN.percent(0.6254) == "62.5%"
    assert EN.points(0.0123, 2) == "+1.23"
    assert EN.points(-0.0123) == "−1.2"
    assert EN.points(-0.00001) == "0.0"
    assert EN.percent(math.inf) == MISSING


def test_ranges_name_a_unit_behind_them_once() -> None:
    assert EN.between("55.0%", "65.0%") == "55.0 to 65.0%"
    assert JA.between("1.00ドル", "2.00ドル") == "1.00〜2.00ドル"
    assert EN.between("$1.00", "$2.00") == "$1.00 to $2.00"
    assert EN.between(MISSING, MISSING) == MISSING
    assert (EN.between(MISSING, "2%"), EN.between("1", MISSING)) == ("up to 2%", "1 or more")
    assert (JA.between(MISSING, "2%"), JA.between("1", MISSING)) == ("最大2%", "1以上")


def test_days() -> None:
    assert EN.day("2026-11-23T10:00:00Z") == "23 November 2026"
    assert JA.day("2026-11-23") == "2026年11月23日"
    assert EN.day("some day") == "some day"


def test_neighbouring_settings_of_the_dial_differ() -> None:
    assert len({EN.mu(mu) for mu in (0.0, 0.001, 0.00115, 0.9988, 0.999, 1.0)}) == 6


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_written(value: float) -> None:
    for numbers in (EN, JA):
        for written in (numbers.plain(value, 2), numbers.percent(value), numbers.usd(value), numbers.mu(value)):
            assert written
            assert "nan" not in written
            assert "inf" not in written
