"""The import agrees with the package it reads: same model, same day, same tokens, same dollars."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tenbin.errors import MissingExtraError, PriceError
from tenbin.prices import PriceBook
from tenbin.prices.genai import _history, import_prices

installed = importlib.util.find_spec("genai_prices") is not None
needs_package = pytest.mark.skipif(not installed, reason="genai-prices is not installed")


def test_without_the_package_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("genai_prices", "genai_prices.data_snapshot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r'pip install "tenbin\[prices\]"'):
        import_prices(["openai/gpt-4o"])


@needs_package
@pytest.mark.extra
def test_names_and_provenance() -> None:
    book = import_prices({"big": "openai/gpt-4o", "small": "openai/gpt-4o-mini"})
    assert list(book.entries) == ["big", "small"]
    source = book.price("big").source
    assert source is not None
    assert source.startswith("genai-prices ")
    assert source.endswith("openai/gpt-4o")
    assert PriceBook.loads(book.dumps()) == book
    assert list(import_prices(["openai/gpt-4o"]).entries) == ["openai/gpt-4o"]
    assert import_prices({"m": "anthropic/claude-sonnet-4-5"}).price("m").cache_write_1h_usd_per_mtok == 6.0
    assert import_prices({"m": "google/gemini-2.5-flash"}).price("m").audio_input_usd_per_mtok == 1.0


@needs_package
@pytest.mark.extra
@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("openai/gpt-4oo", 'does not know the model "openai/gpt-4oo"; did you mean "openai/gpt-4o"'),
        ("gpt-4o", '/gpt-4o"'),
        ("nowhere/zzzzzzzz", "the providers are anthropic,"),
        ("deepseek/deepseek-chat", "costs more at some hours of the day (0.135 / 0.55, 0.27 / 1.1)"),
        ("openai/text-embedding-3-small", "no price per input and output token"),
    ],
)
def test_what_it_does_not_know_is_said_with_the_nearest(reference: str, sentence: str) -> None:
    with pytest.raises(PriceError) as caught:
        import_prices([reference])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@needs_package
@pytest.mark.extra
def test_rates_of_the_hour_are_told_as_figures_whatever_the_package_holds() -> None:
    from genai_prices import types

    tiered = types.TieredPrices(Decimal("0.30"), [types.Tier(1000, Decimal(1))])
    night, day = (types.TimeOfDateConstraint(time(a, tzinfo=UTC), time(b, tzinfo=UTC)) for a, b in ((0, 8), (8, 23)))
    hours = [
        types.ConditionalPrice(night, prices=types.ModelPrice(input_mtok=tiered, output_mtok=Decimal("2.50"))),
        types.ConditionalPrice(day, prices=types.ModelPrice(input_mtok=Decimal("0.6"), output_mtok=None)),
    ]
    model = types.ModelInfo("m", types.ClauseEquals("m"), prices=hours)
    provider = types.Provider("p", "P", "https://p", models=[model])
    with pytest.raises(PriceError, match=r"at some hours of the day \(0\.3 / 2\.5, 0\.6 / none\)"):
        _history("p/m", {"p": provider})


USAGES = [
    (1000, 0, 0, 500, 0),
    (50_000, 6000, 1000, 800, 300),
    (600_000, 100_000, 50_000, 4000, 3000),
]
"""Input, of which read from the cache, of which written to it, output, of which reasoning."""


def package_models() -> list[tuple[str, Any]]:
    from genai_prices.data_snapshot import get_snapshot

    return [(f"{p.id}/{m.id}", m) for p in get_snapshot().providers for m in p.models]


def days_of(model: Any) -> list[date]:
    """Days on both sides of every change of price, and today."""
    entries = model.prices if isinstance(model.prices, list) else []
    starts = [entry.constraint.start_date for entry in entries if hasattr(entry.constraint, "start_date")]
    return [*starts, *(start - timedelta(days=1) for start in starts), date(2026, 1, 1)]


@needs_package
@pytest.mark.extra
def test_every_model_of_the_package_is_billed_as_the_package_bills_it() -> None:
    """Usage by usage and day by day; left out: what is refused, and what is above the second tier of two models."""
    from genai_prices import Usage

    compared, refused, second_tiers = 0, 0, 0
    for reference, model in package_models():
        try:
            book = import_prices([reference])
        except PriceError:
            refused += 1
            continue
        usages = USAGES[:-1] if "only the first" in str(book.entries[reference]) else USAGES
        second_tiers += usages != USAGES
        for day in days_of(model):
            prices = model.get_prices(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
            rates = book.rates([reference], day)
            for sent, cached, written, got, reasoning in usages:
                usage = Usage(
                    input_tokens=sent, cache_read_tokens=cached, cache_write_tokens=written, output_tokens=got
                )
                if prices.output_reasoning_mtok is not None:
                    usage.output_reasoning_tokens = reasoning
                ours = rates.cost_usd(
                    np.array([[float(sent)]]),
                    np.array([[float(got)]]),
                    cached_input_tokens=float(cached),
                    cache_write_tokens=float(written),
                    reasoning_tokens=float(reasoning),
                )
                theirs = float(prices.calc_price(usage)["total_price"])
                assert ours[0, 0] == pytest.approx(theirs, rel=1e-9, abs=1e-12), (reference, day, usage)
                compared += 1
    assert second_tiers == 2
    assert compared > 5000
    assert refused < 400


@needs_package
@pytest.mark.extra
def test_tiers_that_begin_at_different_counts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model of the package has such; the entry would bill one of the rates at the other's threshold."""
    from genai_prices.types import ModelPrice, Tier, TieredPrices

    (model,) = [model for reference, model in package_models() if reference == "openai/gpt-4o-mini"]
    tiers = {
        key: TieredPrices(base=Decimal(1), tiers=[Tier(start=start, price=Decimal(2))])
        for key, start in (("input_mtok", 1000), ("output_mtok", 2000))
    }
    monkeypatch.setattr(model, "prices", ModelPrice(**tiers))
    with pytest.raises(PriceError, match='tiers of different thresholds for "openai/gpt-4o-mini"'):
        import_prices(["openai/gpt-4o-mini"])
    monkeypatch.setattr(model, "prices", ModelPrice(input_mtok=tiers["input_mtok"], output_mtok=tiers["input_mtok"]))
    price = import_prices(["openai/gpt-4o-mini"]).price("openai/gpt-4o-mini")
    assert (price.long_context_tokens, price.long_output_usd_per_mtok) == (1000, 2.0)
