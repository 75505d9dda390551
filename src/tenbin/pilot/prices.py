"""The price book of a pilot: its own, or that of its `tenbin.toml`."""

from __future__ import annotations

from pathlib import Path

from tenbin.config.document import Document, load_document
from tenbin.errors import ConfigError, PriceError
from tenbin.pilot.settings import PilotSettings
from tenbin.prices.book import PriceBook


def needed_book(settings: PilotSettings, document: Document) -> PriceBook:
    """The book that a run is priced by. Raises PriceError where neither names one."""
    place = _own(settings) or _configured(document)
    if place is None:
        what = f'the pilot has no price book, and [gateway] of "{settings.config}" names none'
        fix = "make one with 'tenbin prices import' and name it there: prices = \"prices.toml\""
        raise PriceError(what, fix=fix)
    return PriceBook.load(place)


def book_at_hand(settings: PilotSettings) -> PriceBook | None:
    """The same where it is at hand and prices all candidates; None elsewhere.

    Recorded dollars do then: a pilot that was moved to another machine can still be looked at.
    """
    try:
        place = _own(settings) or _configured(load_document(Path(settings.config), {}))
    except ConfigError:
        return None
    if place is None or not place.exists():
        return None
    book = PriceBook.load(place)
    return book if set(settings.candidates) <= book.entries.keys() else None


def _own(settings: PilotSettings) -> Path | None:
    return None if settings.prices is None else Path(settings.prices)


def _configured(document: Document) -> Path | None:
    written = document.plain["gateway"].get("prices")
    return None if written is None else document.path(written)
