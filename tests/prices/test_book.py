"""Dated entries, the TOML text, and the sentences for books that are wrong."""

from __future__ import annotations

import random
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import PriceError
from tenbin.prices import PriceBook, PriceChange
from tenbin.types import Price

HISTORY = """
[[models."gpt-4o".prices]]
since = 2024-08-06
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10.0

[[models."gpt-4o".prices]]
since = 2024-05-13
input_usd_per_mtok = 5
output_usd_per_mtok = 15

[models."mistralai/mixtral-8x7b"]
input_usd_per_mtok = 0.6
output_usd_per_mtok = 0.6
"""

amounts = st.floats(0.0, 1e6, allow_nan=False)
maybe = st.none() | amounts
plain_prices = st.builds(
    Price,
    amounts,
    amounts,
    cached_input_usd_per_mtok=maybe,
    cache_write_usd_per_mtok=maybe,
    reasoning_usd_per_mtok=maybe,
    request_usd=amounts,
    cache_write_1h_usd_per_mtok=maybe,
    audio_output_usd_per_mtok=maybe,
    priority_factor=maybe,
    source=st.none() | st.text(st.characters(codec="utf-8")),
)
long_prices = st.builds(
    Price,
    amounts,
    amounts,
    long_context_tokens=st.integers(1, 10**7),
    long_input_usd_per_mtok=amounts,
    long_output_usd_per_mtok=maybe,
    long_cached_input_usd_per_mtok=maybe,
)
names = st.text(st.characters(codec="utf-8"), min_size=1).map(str.strip).filter(bool)


@st.composite
def histories(draw: st.DrawFn) -> list[Price]:
    from dataclasses import replace

    days = draw(st.lists(st.none() | st.dates(), min_size=1, max_size=5, unique=True))
    return [replace(draw(plain_prices | long_prices), since=day) for day in days]


books = st.dictionaries(names, histories(), max_size=4).map(PriceBook)


def test_the_last_entry_on_or_before_the_day_holds() -> None:
    book = PriceBook.loads(HISTORY)
    assert book.price("gpt-4o", date(2024, 5, 13)).input_usd_per_mtok == 5.0
    assert book.price("gpt-4o", date(2024, 8, 5)).input_usd_per_mtok == 5.0
    assert book.price("gpt-4o", date(2024, 8, 6)).input_usd_per_mtok == 2.5
    assert book.price("gpt-4o").input_usd_per_mtok == 2.5
    assert book.price("gpt-4o", datetime(2024, 8, 5, 23, 59)).input_usd_per_mtok == 5.0
    assert book.price("mistralai/mixtral-8x7b", date(1900, 1, 1)).output_usd_per_mtok == 0.6


def test_a_day_before_the_first_entry_is_an_error_that_says_so() -> None:
    with pytest.raises(PriceError, match=r'no price for "gpt-4o" on 2024-05-12: its first entry holds from 2024-05-13'):
        PriceBook.loads(HISTORY).rates(["gpt-4o"], date(2024, 5, 12))


def test_on_gives_the_models_that_have_a_price_that_day() -> None:
    book = PriceBook.loads(HISTORY)
    assert list(book.on(date(2024, 1, 1))) == ["mistralai/mixtral-8x7b"]
    assert book.on(date(2024, 6, 1))["gpt-4o"].input_usd_per_mtok == 5.0
    assert sorted(book.on()) == ["gpt-4o", "mistralai/mixtral-8x7b"]


def test_an_unknown_model_names_the_near_ones_and_is_never_guessed() -> None:
    book = PriceBook.loads(HISTORY, name="prices.toml")
    with pytest.raises(PriceError) as caught:
        book.rates(["gpt-4o", "mixtral-8x7b"])
    assert str(caught.value).startswith(
        'prices.toml: no price for "mixtral-8x7b"; did you mean "mistralai/mixtral-8x7b"? Else add [models."mixtral'
    )
    with pytest.raises(PriceError, match=r'no price for "a", "b", "c" and 1 more; add \[models\."a"\]'):
        book.rates(["a", "b", "c", "d"])
    with pytest.raises(PriceError, match=r'no price for "a", "b", "c"; add'):
        book.rates(["a", "b", "c"])
    with pytest.raises(PriceError, match=r'no price for "a"; add'):
        book.price("a")


@settings(max_examples=100)
@given(books)
def test_text_and_back_is_the_same_book(book: PriceBook) -> None:
    again = PriceBook.loads(book.dumps())
    assert again == book
    assert again.version == book.version
    assert again.dumps() == book.dumps()
    sources = [price.source for history in book.entries.values() for price in history]
    assert sources == [price.source for history in again.entries.values() for price in history]


@settings(max_examples=100)
@given(st.dictionaries(names, histories(), min_size=1, max_size=3), st.randoms(use_true_random=False), st.dates())
def test_the_order_of_entries_and_models_means_nothing(
    entries: dict[str, list[Price]], shuffle: random.Random, day: date
) -> None:
    mixed = [(model, shuffle.sample(history, len(history))) for model, history in entries.items()]
    shuffle.shuffle(mixed)
    book, other = PriceBook(entries), PriceBook(dict(mixed))
    assert book == other
    assert book.version == other.version
    assert book.diff(other, day) == []


@settings(max_examples=100)
@given(histories(), st.dates())
def test_date_semantics(history: list[Price], day: date) -> None:
    book = PriceBook({"m": history})
    due = [price for price in history if price.since is None or price.since <= day]
    if not due:
        with pytest.raises(PriceError):
            book.price("m", day)
        return
    held = book.price("m", day)
    assert all(price.since is None or (held.since is not None and price.since <= held.since) for price in due)
    assert held in PriceBook({"m": due}).entries["m"]


def test_version_sees_every_number_and_no_note() -> None:
    base = PriceBook({"m": [Price(1, 2)]})
    assert base.version == PriceBook({"m": [Price(1.0, 2.0, source="the vendor's page")]}).version
    others = [
        {"m": [Price(1, 2.0000001)]},
        {"m": [Price(1, 2, since=date(2026, 1, 1))]},
        {"m": [Price(1, 2, request_usd=0.01)]},
        {"m": [Price(1, 2, cached_input_usd_per_mtok=1)]},
        {"m": [Price(1, 2, flex_factor=0.5)]},
        {"m": [Price(1, 2, priority_factor=0.5)]},
        {"n": [Price(1, 2)]},
    ]
    assert len({base.version, *(PriceBook(other).version for other in others)}) == 8
    assert PriceBook({"m": [Price(0.0, 2)]}).version == PriceBook({"m": [Price(-0.0, 2)]}).version


def test_the_version_is_pinned_because_ledgers_store_it() -> None:
    assert PriceBook({"m": [Price(1, 2)]}).version == (
        "6a72406a96268a3aad0003952a84420881aeb769a5e0e24a6cfa410df9da0729"
    )


def test_what_is_not_given_is_not_written() -> None:
    dated = [Price(0, 2), Price(1, 2, since=date(2026, 1, 1), request_usd=0.01)]
    text = PriceBook({"m": [Price(1, 2)], "n": dated}).dumps()
    assert text == (
        '[models."m"]\ninput_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\n\n'
        '[[models."n".prices]]\ninput_usd_per_mtok = 0.0\noutput_usd_per_mtok = 2.0\n'
        '[[models."n".prices]]\nsince = 2026-01-01\ninput_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\n'
        "request_usd = 0.01\n"
    )


def test_a_book_is_immutable_and_with_price_makes_another() -> None:
    book = PriceBook.loads(HISTORY)
    with pytest.raises(TypeError):
        book.entries["x"] = ()  # type: ignore[index]
    cheaper = book.with_price("gpt-4o", Price(1, 4, since=date(2025, 1, 1)))
    assert book.price("gpt-4o").input_usd_per_mtok == 2.5
    assert cheaper.price("gpt-4o").input_usd_per_mtok == 1.0
    replaced = cheaper.with_price("gpt-4o", Price(2, 4, since=date(2025, 1, 1)))
    assert len(replaced.entries["gpt-4o"]) == 3
    assert replaced.price("gpt-4o").input_usd_per_mtok == 2.0


def test_scaled_touches_every_dollar_of_one_model_and_no_count() -> None:
    tier = Price(1, 2, request_usd=0.1, long_context_tokens=1000, long_input_usd_per_mtok=3)
    book = PriceBook({"m": [tier], "n": [Price(1, 1)]}).scaled("m", 10)
    assert book.price("m") == Price(10.0, 20.0, request_usd=1.0, long_context_tokens=1000, long_input_usd_per_mtok=30.0)
    assert book.price("n") == Price(1.0, 1.0)
    with pytest.raises(PriceError, match="not a price"):
        book.scaled("m", -1)
    with pytest.raises(PriceError, match="no price for"):
        book.scaled("x", 2)


def test_diff_names_what_changed_came_and_went() -> None:
    old = PriceBook.loads(HISTORY)
    new = old.with_price("gpt-4o", Price(3, 10, since=date(2026, 1, 1))).with_price("new", Price(1, 1))
    assert old.diff(new, date(2025, 12, 31)) == [PriceChange("new", None, Price(1.0, 1.0))]
    changes = old.diff(new, date(2026, 1, 1))
    assert [change.model for change in changes] == ["gpt-4o", "new"]
    before, after = changes[0].before, changes[0].after
    assert before is not None
    assert after is not None
    assert (before.input_usd_per_mtok, after.input_usd_per_mtok) == (2.5, 3.0)
    assert new.diff(old, date(2026, 1, 1))[1] == PriceChange("new", Price(1.0, 1.0), None)


MODEL = '[models."m"]\n'
GOOD = MODEL + "input_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            MODEL + "input_usd_per_mtok = -1\noutput_usd_per_mtok = 2",
            "input_usd_per_mtok = -1 is not a price; give 0 to 1e+15",
        ),
        (MODEL + "input_usd_per_mtok = nan\noutput_usd_per_mtok = 2", "input_usd_per_mtok = nan is not a price"),
        (MODEL + f"input_usd_per_mtok = 1{'0' * 400}\noutput_usd_per_mtok = 2", "input_usd_per_mtok = 1000"),
        (MODEL + f"input_usd_per_mtok = 1{'0' * 5000}\noutput_usd_per_mtok = 2", "is not TOML"),
        (MODEL + "input_usd_per_mtok = inf\noutput_usd_per_mtok = 2", "input_usd_per_mtok = inf is not a price"),
        (MODEL + "input_usd_per_mtok = true\noutput_usd_per_mtok = 2", "input_usd_per_mtok = true is not a number"),
        (MODEL + 'input_usd_per_mtok = "1"\noutput_usd_per_mtok = 2', 'input_usd_per_mtok = "1" is not a number'),
        (MODEL + "input_usd_per_mtok = 1", "output_usd_per_mtok is missing"),
        (GOOD + "cached_inputs_usd_per_mtok = 1", 'did you mean "cached_input_usd_per_mtok"'),
        (HISTORY.replace("since", "sins"), 'model "gpt-4o": unknown key "sins"; did you mean "since"'),
        (
            GOOD + '[[models."m".prices]]\ninput_usd_per_mtok = 1',
            'unknown key "input_usd_per_mtok"; known here: prices',
        ),
        (
            GOOD + "since = 2026-01-01",
            'has a since, and this form has one price for all time; write [[models."m".prices]]',
        ),
        (GOOD + "long_context_tokens = 1000", "half of a long-context tier"),
        (GOOD + "long_input_usd_per_mtok = 1", "half of a long-context tier"),
        (GOOD + "long_input_usd_per_mtok = 1\nlong_context_tokens = 1.5", "long_context_tokens = 1.5 is no count"),
        (GOOD + "source = 1", "source = 1 is not text"),
        (GOOD + '[model."n"]', 'unknown key "model"; did you mean "models"'),
        (GOOD + GOOD, "is not TOML: Cannot declare ('models', 'm') twice"),
        ("models = 1", "models is not a table"),
        ("[models]\nm = 1", 'models."m" is not a table'),
        ('[models."m"]\nprices = 1', "prices is not a list"),
        ('[models."m"]\nprices = []', "has no prices"),
        ('[models."m"]\nprices = [1]', "an entry of prices is not a table"),
        ("[models.gpt-4.1]\ninput_usd_per_mtok = 1", r'a name with a dot needs quotes: [models."gpt-4.1"]'),
        (GOOD.replace('"m"', '"a\\nb"').replace("2", "[]"), r'model "a\nb": output_usd_per_mtok = [] is not a number'),
        (GOOD.replace('"m"', '"m "'), 'prices.toml, model "m ": has blanks around its name; take them off'),
        ('[models." "]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1', "empty name"),
        (GOOD.replace('[models."m"]', '[[models."m".prices]]') * 2, "two prices without a date"),
        (HISTORY.replace("2024-05-13", "2024-08-06"), "two prices of 2024-08-06"),
        (HISTORY.replace("2024-05-13", '"2024-05-13"'), 'since = "2024-05-13" is not a day'),
        (HISTORY.replace("2024-05-13", "2024-05-13T00:00:00"), "since = 2024-05-13T00:00:00 is not a day"),
        ("a = " + "[" * 100_000, "is not TOML"),
    ],
)
def test_a_wrong_book_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PriceError) as caught:
        PriceBook.loads(text, name="prices.toml")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("prices.toml")
    assert "\n" not in str(caught.value)


def test_a_wrong_price_from_code_is_refused_as_well() -> None:
    wrong: Any = Price(1, 2, since="2026-01-01")  # type: ignore[arg-type]
    with pytest.raises(PriceError, match="is not a day"):
        PriceBook({"m": [wrong]})
    unpriced: Any = Price(1, None)  # type: ignore[arg-type]
    with pytest.raises(PriceError, match="output_usd_per_mtok is missing"):
        PriceBook({"m": [unpriced]})
    exact: Any = Price(1, Decimal("0.15"))  # type: ignore[arg-type]
    with pytest.raises(PriceError, match="output_usd_per_mtok = a Decimal is not a number"):
        PriceBook({"m": [exact]})


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(HISTORY, encoding="utf-8")
    assert PriceBook.load(path) == PriceBook.loads(HISTORY)
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert PriceBook.load(path).price("m") == Price(1.0, 2.0)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PriceError, match="is not UTF-8 text"):
        PriceBook.load(path)
    with pytest.raises(PriceError, match=r"none\.toml: cannot be read"):
        PriceBook.load(tmp_path / "none.toml")
