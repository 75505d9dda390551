"""Prices from the maintained package `genai-prices` (MIT), as a book that names where every figure comes from.

Only the package's own tables are read; nothing is downloaded. Its prices hold above a threshold as ours do: a tier
bills the whole call once the input exceeds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

from tenbin.errors import MissingExtraError, PriceError, did_you_mean
from tenbin.prices.book import PriceBook
from tenbin.types import Price

PACKAGE = "genai-prices"
RATES: Mapping[str, str] = {
    "input_usd_per_mtok": "input_mtok",
    "output_usd_per_mtok": "output_mtok",
    "cached_input_usd_per_mtok": "cache_read_mtok",
    "cache_write_usd_per_mtok": "cache_write_mtok",
    "reasoning_usd_per_mtok": "output_reasoning_mtok",
    "cache_write_1h_usd_per_mtok": "cache_write_1h_mtok",
    "audio_input_usd_per_mtok": "input_audio_mtok",
    "audio_output_usd_per_mtok": "output_audio_mtok",
}
"""Our keys and theirs. Images, searches and storage are no part of a routed text call and are left out."""
TIERED = ("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok", "cache_write_usd_per_mtok")
"""Those that have a long rate of their own; the others go with the input or the output."""


def import_prices(models: Mapping[str, str] | Sequence[str]) -> PriceBook:
    """A price book of `models`: our names to `provider/model` of genai-prices, or a list of `provider/model`.

    Every entry that the package has is taken, with its date; the `source` of each names the package, its version and
    the model there. Raises MissingExtraError where the package is not installed, and PriceError, naming the nearest
    models, for one that it does not know or does not price by the token.
    """
    providers = _providers()
    wanted = models if isinstance(models, Mapping) else {reference: reference for reference in models}
    return PriceBook({name: _history(reference, providers) for name, reference in wanted.items()}, PACKAGE)


def _providers() -> dict[str, Any]:
    try:
        from genai_prices.data_snapshot import get_snapshot
    except ImportError:
        raise MissingExtraError(
            f"the package {PACKAGE} is not installed", fix='install it: pip install "tenbin[prices]"'
        ) from None
    return {provider.id: provider for provider in get_snapshot().providers}


def _history(reference: str, providers: Mapping[str, Any]) -> list[Price]:
    provider, model = _find(reference, providers)
    source = f"{PACKAGE} {version(PACKAGE)}, {provider.id}/{model.id}"
    dated: list[Any] = model.prices if isinstance(model.prices, list) else [None]
    if any(hasattr(getattr(entry, "constraint", None), "start_time") for entry in dated):
        # Keeping one of the rates would bill half of the day wrongly, often by a factor of two.
        rates = sorted({f"{_told(entry.prices.input_mtok)} / {_told(entry.prices.output_mtok)}" for entry in dated})
        raise PriceError(
            f'"{reference}" costs more at some hours of the day ({", ".join(rates)})',
            where=PACKAGE,
            fix="decide which to count with, and write its entry by hand",
        )
    history = []
    for entry in dated:
        since: date | None = getattr(getattr(entry, "constraint", None), "start_date", None)
        history.append(_price(model.prices if entry is None else entry.prices, since, source, reference))
    return history


def _find(reference: str, providers: Mapping[str, Any]) -> tuple[Any, Any]:
    """The provider and the model of a reference: its id there, or a name that the package knows it by."""
    provider_id, slash, wanted = reference.partition("/")
    provider = providers.get(provider_id) if slash else None
    if provider is not None:
        exact = [model for model in provider.models if model.id == wanted]
        model = exact[0] if exact else provider.find_model(wanted)
        if model is not None:
            return provider, model
    among = [provider] if provider is not None else list(providers.values())
    hint = did_you_mean(reference, [f"{one.id}/{model.id}" for one in among for model in one.models])
    fix = hint or f"write provider/model; the providers are {', '.join(sorted(providers))}"
    raise PriceError(f'does not know the model "{reference}"', where=PACKAGE, fix=fix)


@dataclass(frozen=True, slots=True)
class _Rate:
    """One rate: up to the first threshold, above it, where that is, and whether there are more."""

    base: float
    long: float | None = None
    above_tokens: int | None = None
    has_more_tiers: bool = False


def _rate(value: Any) -> _Rate | None:
    if value is None:
        return None
    if not getattr(value, "tiers", None):
        return _Rate(float(getattr(value, "base", value)))
    first = value.tiers[0]
    return _Rate(float(value.base), float(first.price), int(first.start), len(value.tiers) > 1)


def _told(value: Any) -> str:
    rate = _rate(value)
    return "none" if rate is None else f"{rate.base:g}"


def _price(prices: Any, since: date | None, source: str, reference: str) -> Price:
    rates = {ours: _rate(getattr(prices, theirs, None)) for ours, theirs in RATES.items()}
    given = {key: rate for key, rate in rates.items() if rate is not None}
    if not {"input_usd_per_mtok", "output_usd_per_mtok"} <= set(given):
        fix = "write its entry by hand, with the source of the figures"
        raise PriceError(f'has no price per input and output token for "{reference}"', where=PACKAGE, fix=fix)
    thresholds = {rate.above_tokens for rate in given.values() if rate.above_tokens is not None}
    fields: dict[str, Any] = {key: rate.base for key, rate in given.items()}
    if len(thresholds) > 1:
        fix = "write its entry by hand"
        raise PriceError(f'has tiers of different thresholds for "{reference}"', where=PACKAGE, fix=fix)
    if thresholds:
        threshold = fields["long_context_tokens"] = thresholds.pop()
        # Each long rate is written out: the package says it, so nothing is left to our rule for those not given.
        for key, rate in given.items():
            if key in TIERED:
                fields[f"long_{key}"] = rate.base if rate.long is None else rate.long
        if any(rate.has_more_tiers for rate in given.values()):
            source += f"; of its tiers only the first, above {threshold} tokens, is kept"
    per_thousand = _rate(getattr(prices, "requests_kcount", None))
    return Price(since=since, source=source, request_usd=per_thousand.base / 1e3 if per_thousand else 0.0, **fields)
