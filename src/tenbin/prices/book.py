"""Dated prices by model: which price a model has on a day, what a book says, and what differs between two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from tenbin.config.values import quoted, shown
from tenbin.errors import PriceError, did_you_mean
from tenbin.prices.check import PriceFinding, jumps, oddities
from tenbin.prices.rates import Rates
from tenbin.prices.toml_text import read_entries, write_entries
from tenbin.types import Price

NUMBERS = tuple(f.name for f in fields(Price) if f.name not in ("since", "source"))
MOST = 1e15
"""No price or threshold comes near; products with tokens stay finite."""
LATE = (
    *("cache_write_1h_usd_per_mtok", "audio_input_usd_per_mtok", "audio_output_usd_per_mtok"),
    *("priority_factor", "flex_factor"),
)
"""Keys that books have had since versions were written down: where they are not used, a version is what it was."""
REQUIRED = ("input_usd_per_mtok", "output_usd_per_mtok", "request_usd")


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A model whose price differs between two books on one day; None where a book has no price for it then."""

    model: str
    before: Price | None
    after: Price | None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by model, each a list of entries by date; immutable, so a decision can name the book that it used.

    An undated entry holds from always, a dated one from its day on, until the next. `name` is what errors call the
    book. Raises PriceError for a rate that is negative or no finite number, and for two entries of one day.
    """

    entries: Mapping[str, Sequence[Price]]
    name: str = field(default="the price book", compare=False)

    def __post_init__(self) -> None:
        checked = {model: _history(model, self.entries[model], self.name) for model in sorted(self.entries)}
        object.__setattr__(self, "entries", MappingProxyType(checked))

    def __reduce__(self) -> tuple[type[PriceBook], tuple[dict[str, Sequence[Price]], str]]:
        """How it is pickled, and with it a router that is sent to another process."""
        return type(self), (dict(self.entries), self.name)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The book of a TOML file; PriceError naming the file, the model and the key where something is wrong."""
        try:
            text = Path(path).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise PriceError(f"cannot be read ({error.strerror})", where=str(path), fix="check the path") from None
        except UnicodeDecodeError:
            raise PriceError("is not UTF-8 text", where=str(path), fix="save it as UTF-8") from None
        return cls.loads(text, name=str(path))

    @classmethod
    def loads(cls, text: str, *, name: str = "the price book") -> Self:
        """The book of a TOML text: `[[models."NAME".prices]]` entries, or `[models."NAME"]` for one undated entry."""
        return cls(read_entries(text, name), name)

    def dumps(self) -> str:
        """The book as TOML text; `PriceBook.loads` of it is equal to this book."""
        return write_entries(self.entries)

    @property
    def version(self) -> str:
        """SHA-256 of what the book says, whatever the order, layout and `source` notes of its file."""
        rows = [
            [
                model,
                price.since and price.since.isoformat(),
                *(getattr(price, key) for key in NUMBERS if key not in LATE),
                *([key, rate] for key in LATE if (rate := getattr(price, key)) is not None),
            ]
            for model, history in self.entries.items()
            for price in history
        ]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode()).hexdigest()

    def price(self, model: str, at: date | None = None) -> Price:
        """The price of a model on a day (default: today, UTC): its last entry with `since` <= `at`.

        Raises PriceError for a model that is not in the book, naming the nearest ones, and for a day before its
        first entry.
        """
        self._require([model])
        day = _day(at)
        found = self._held(model, day)
        if found is None:
            first = self.entries[model][0].since
            raise PriceError(
                f'no price for "{model}" on {day}: its first entry holds from {first}',
                where=self.name,
                fix="add an entry for the time before, or ask for a later day",
            )
        return found

    def on(self, at: date | None = None) -> dict[str, Price]:
        """The price of every model that has one on a day (default: today, UTC)."""
        day = _day(at)
        return {model: price for model in self.entries if (price := self._held(model, day)) is not None}

    def rates(self, models: Sequence[str], at: date | None = None) -> Rates:
        """The rates of `models` on a day (default: today, UTC), in that order; PriceError as `price`."""
        self._require(models)
        return Rates.of(models, [self.price(model, at) for model in models])

    def with_price(self, model: str, price: Price) -> PriceBook:
        """The book with one entry more; an entry of the same day is replaced."""
        kept = [old for old in self.entries.get(model, ()) if old.since != price.since]
        return PriceBook({**self.entries, model: [*kept, price]}, self.name)

    def scaled(self, model: str, factor: float) -> PriceBook:
        """The book with all dollars of one model times `factor` (>= 0), at all dates: a what-if."""
        self._require([model])
        money = [key for key in NUMBERS if "_usd" in key]
        history = [
            replace(price, **{key: factor * old for key in money if (old := getattr(price, key)) is not None})
            for price in self.entries[model]
        ]
        return PriceBook({**self.entries, model: history}, self.name)

    def diff(self, other: PriceBook, at: date | None = None) -> list[PriceChange]:
        """What changes from this book to `other` on a day (default: today, UTC), by model; dates and notes aside."""
        before, after = self.on(at), other.on(at)
        return [
            PriceChange(model, before.get(model), after.get(model))
            for model in sorted({*before, *after})
            if _bare(before.get(model)) != _bare(after.get(model))
        ]

    def differs_from(self, other: PriceBook, at: date | None = None) -> date | None:
        """The first day after `at` (default: today, UTC) on which other prices differ than on that day; None: never."""
        day, found = _day(at), self.diff(other, at)
        held = [price for book in (self, other) for history in book.entries.values() for price in history]
        days = sorted({price.since for price in held if price.since is not None and price.since > day})
        return next((later for later in days if self.diff(other, later) != found), None)

    def check(
        self, models: Iterable[str] | None = None, at: date | None = None, *, unanswering: Container[str] = ()
    ) -> list[PriceFinding]:
        """What a person should look at, on a day (default: today, UTC), for the `models` in use (default: all).

        Of those in `unanswering` no output is billed: embedding models.
        """
        day = _day(at)
        used = set(self.entries if models is None else models)
        findings = []
        for model in sorted(used - set(self.entries)):
            hint = did_you_mean(model, self.entries)
            findings.append(PriceFinding(model, f"has no price{'; ' + hint if hint else ''}", is_error=True))
        findings += [PriceFinding(model, "is priced but not in use") for model in sorted(set(self.entries) - used)]
        for model in sorted(used & set(self.entries)):
            price = self._held(model, day)
            if price is None:
                findings.append(PriceFinding(model, f"has no price yet on {day}", is_error=True))
            else:
                findings += [
                    PriceFinding(model, what) for what in oddities(price, day, answers=model not in unanswering)
                ]
            findings += [PriceFinding(model, what) for what in jumps(self.entries[model])]
        return findings

    def _require(self, models: Sequence[str]) -> None:
        """Refuse models that are not in the book, all of them in one sentence."""
        missing = [model for model in dict.fromkeys(models) if model not in self.entries]
        if not missing:
            return
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        named = ", ".join(f'"{model}"' for model in missing[:3]) + more
        hint = did_you_mean(missing[0], self.entries)
        fix = f'add [models."{missing[0]}"] with input_usd_per_mtok and output_usd_per_mtok'
        raise PriceError(f"no price for {named}", where=self.name, fix=f"{hint} Else {fix}" if hint else fix)

    def _held(self, model: str, day: date) -> Price | None:
        held = [price for price in self.entries.get(model, ()) if price.since is None or price.since <= day]
        return held[-1] if held else None


def _day(at: date | None) -> date:
    if at is None:
        return datetime.now(UTC).date()
    return at.date() if isinstance(at, datetime) else at


def _bare(price: Price | None) -> Price | None:
    """The price without its date and its note: what a bill depends on."""
    return None if price is None else replace(price, since=None, source=None)


def _history(model: str, prices: Iterable[Price], name: str) -> tuple[Price, ...]:
    """The entries of one model checked and by date; the undated one first."""
    where = f"{name}, model {quoted(model)}"
    if not model.strip():
        raise PriceError("a model has an empty name", where=name, fix="name it as the outcome table does")
    if model != model.strip():
        raise PriceError("has blanks around its name", where=where, fix="take them off: outcome tables have none")
    history = sorted((_checked(price, where) for price in prices), key=_order)
    if not history:
        raise PriceError("has no prices", where=where, fix="give input_usd_per_mtok and output_usd_per_mtok")
    for old, new in pairwise(history):
        if old.since == new.since:
            when = "without a date" if new.since is None else f"of {new.since}"
            raise PriceError(
                f"has two prices {when}", where=where, fix="keep one, or give them different days in since"
            )
    return tuple(history)


def _order(price: Price) -> tuple[bool, date]:
    return price.since is not None, price.since or date.min


def _checked(price: Price, where: str) -> Price:
    """The price with every number a float, or PriceError naming the key that is none, negative or not finite."""
    clean: dict[str, Any] = {}
    for key in NUMBERS:
        value = getattr(price, key)
        if value is None:
            if key in REQUIRED:
                raise PriceError(f"{key} is missing", where=where, fix="give dollars as 0.15")
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise PriceError(f"{key} = {shown(value)} is not a number", where=where, fix="give dollars as 0.15")
        if not 0.0 <= value <= MOST:
            raise PriceError(f"{key} = {shown(value)} is not a price", where=where, fix=f"give 0 to {MOST:g}")
        clean[key] = abs(float(value))  # abs: -0.0 would be another text than 0.0
    if price.since is not None and type(price.since) is not date:
        what = f"since = {shown(price.since)} is not a day"
        raise PriceError(what, where=where, fix="write since = 2026-01-31, unquoted")
    if price.source is not None and not isinstance(price.source, str):
        raise PriceError(f"source = {shown(price.source)} is not text", where=where, fix="write it in quotes")
    if (tokens := clean.get("long_context_tokens")) is not None:
        if tokens != int(tokens) or tokens < 1:
            raise PriceError(f"long_context_tokens = {tokens:g} is no count", where=where, fix="give e.g. 200000")
        clean["long_context_tokens"] = int(tokens)
    long_rates = [key for key in NUMBERS if key.startswith("long_") and key in clean and key != "long_context_tokens"]
    if (tokens is None) != (not long_rates):
        fix = "give long_context_tokens together with long_input_usd_per_mtok or long_output_usd_per_mtok"
        raise PriceError("has half of a long-context tier", where=where, fix=fix)
    return replace(price, **clean)
