"""Replay a history of published list prices through the price book, and say what held and what was refused.

    python runs/price_history.py EVENTS.parquet

EVENTS has one row per change: `observed_at, provider, model, old_in, old_out, new_in, new_out`, in dollars per million
tokens. Prints one JSON document: how many changes the book bills as the history says, on the day and on the day before.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from tenbin.errors import PriceError
from tenbin.prices import PriceBook
from tenbin.types import Price

MILLION = np.array([[1e6]])


def read_events(path: Path) -> list[tuple[str, date, float | None, float | None, float | None, float | None]]:
    """The changes in the order of their days, several of one day kept in the file's order."""
    query = """
        select provider || '/' || model, cast(left(observed_at, 10) as date), old_in, old_out, new_in, new_out
        from read_parquet(?) order by cast(observed_at as timestamptz)
    """
    with duckdb.connect() as connection:
        return connection.execute(query, [str(path)]).fetchall()


def book_of(events: list) -> tuple[PriceBook, dict[str, int]]:
    """The book of all events that are prices; the reasons why the others are none, counted."""
    entries: dict[str, dict[date, Price]] = defaultdict(dict)
    refused: dict[str, int] = defaultdict(int)
    for model, day, _, _, new_in, new_out in events:
        if new_in is None or new_out is None:
            refused["no price of input and output"] += 1
            continue
        price = Price(new_in, new_out, since=day, source="history")
        try:
            PriceBook({model: [price]})
        except PriceError as error:
            refused[error.what.split(" = ")[0] + " refused"] += 1
            continue
        entries[model][day] = price
    return PriceBook({model: list(days.values()) for model, days in entries.items()}), dict(refused)


def billed(book: PriceBook, model: str, day: date) -> tuple[float, float]:
    """Dollars of a million input and of a million output tokens."""
    rates = book.rates([model], day)
    nothing = np.zeros((1, 1))
    return float(rates.cost_usd(MILLION, nothing)[0, 0]), float(rates.cost_usd(nothing, MILLION)[0, 0])


def replay(book: PriceBook, events: list) -> dict[str, int]:
    """Every change held against the book: the new price on its day, the old one on the day before."""
    last = {(model, day): (new_in, new_out) for model, day, _, _, new_in, new_out in events}
    seen: dict[str, date] = {}
    counts: dict[str, int] = defaultdict(int)
    for model, day, old_in, old_out, _, _ in events:
        new = last[(model, day)]
        if model not in book.entries or day not in {price.since for price in book.entries[model]}:
            continue
        counts["new price on its day"] += billed(book, model, day) == new
        counts["changes"] += 1
        if model in seen and seen[model] < day:
            counts["old price on the day before"] += billed(book, model, day - timedelta(days=1)) == (old_in, old_out)
            counts["later changes"] += 1
        elif model not in seen:
            counts["no price before the first day"] += model not in book.on(day - timedelta(days=1))
            counts["first days"] += 1
        seen[model] = day
    return dict(counts)


def main() -> None:
    events = read_events(Path(sys.argv[1]))
    started = time.process_time()
    book, refused = book_of(events)
    counts = replay(book, events)
    text = book.dumps()
    again = PriceBook.loads(text)
    days = sorted({price.since for prices in book.entries.values() for price in prices if price.since})
    changed = [book.diff(book, day) for day in days]
    findings = book.check(at=days[-1])
    document = {
        "events": len(events),
        "models": len(book.entries),
        "refused": refused,
        **counts,
        "round trip": again == book and again.version == book.version,
        "book bytes": len(text.encode()),
        "no difference to itself on any day": not any(changed),
        "jumps by ten or more": sum("slip of the unit" in finding.what for finding in findings),
        "output cheaper than input": sum("swapped" in finding.what for finding in findings),
        "cpu_s": round(time.process_time() - started, 2),
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
