"""The quick look at the quotes of a CSV file misses nothing that the slow comparison of two readers would find."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenbin.outcomes.quotes import Quotes


def seen(data: bytes, size: int, delimiter: str = ",") -> Quotes:
    quotes = Quotes(delimiter)
    for start in range(0, len(data), size):
        quotes.see(data[start : start + size])
    return quotes


def ambiguous(text: str, delimiter: str) -> bool:
    """Whether readers that skip blanks behind a delimiter, and that do not, take the text apart differently."""
    literal, skipping = (
        [
            [field.lstrip(" ") for field in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=skips)
        ]
        for skips in (False, True)
    )
    return literal != skipping


@given(st.text('", \t\r\na', max_size=24), st.integers(1, 5), st.sampled_from(",\t"))
@example('a, "b,c"', 1, ",")
@example('"a""",\n "b"', 2, ",")
@example(' "a\tb"', 3, "\t")
def test_what_two_readers_take_apart_differently_is_astray(text, size, delimiter):
    quotes = seen(text.encode(), size, delimiter)
    assert quotes.count == text.count('"')
    assert quotes.astray or not ambiguous(text, delimiter)


fields = st.text('", \r\nah\u20ac', max_size=8)


@given(st.lists(st.lists(fields, min_size=1, max_size=4), max_size=5), st.integers(1, 5), st.booleans())
def test_what_a_csv_writer_writes_is_never_astray(rows, size, marked):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    data = (codecs.BOM_UTF8 if marked else b"") + file.getvalue().encode()
    assert not seen(data, size + 2).astray


@pytest.mark.parametrize("blanks", [1, 255, 256, 1000])
def test_blanks_before_a_quote_are_seen_across_chunks(blanks):
    assert seen(b"id,prompt\n1," + b" " * blanks + b'"p"\n', 16).astray
