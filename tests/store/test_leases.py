"""The shares in the ledger: all or none, everybody else counted once, in their own period."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenbin.store.database import open_database
from tenbin.store.leases import Holding, give_back_all, lease_all, place
from tenbin.store.period import DAY_S, day_of, month_of
from tenbin.store.schema import LEDGER
from tenbin.store.share import Share

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC).timestamp()
TODAY = int(NOON // DAY_S)
NOTHING = Share()


@pytest.fixture
def link(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "ledger.sqlite", LEDGER, busy_s=1.0)) as link:
        yield link


def held(day: Share = NOTHING, month: Share = NOTHING, day_usd: float = 1.0) -> list[Holding]:
    return [Holding("k", day_of(NOON), day_usd, day), Holding("k", month_of(NOON), 20.0, month)]


def granted(link: sqlite3.Connection) -> list[tuple[str, str, float]]:
    return list(link.execute("SELECT period, writer, granted_usd FROM leases ORDER BY period, writer"))


def test_a_place_is_a_period_in_whole_days() -> None:
    day, month = (place(each, "w") for each in held())
    assert day == ("k", "2026-02-10", "w", TODAY, TODAY + 1)
    assert month == ("k", "2026-02", "w", TODAY - 9, TODAY + 19)


def test_where_one_budget_refuses_none_grants_and_everybody_sees_it(link: sqlite3.Connection) -> None:
    shares, refusals = lease_all(link, "a", held(), 0.5, 1)
    assert ([share.granted for share in shares], refusals) == ([0.5, 5.0], [None, None])
    assert granted(link) == [("2026-02", "a", 5.0), ("2026-02-10", "a", 0.5)]
    shares, refusals = lease_all(link, "b", held(Share(0.2, 0.3, 0.3), Share(0.2, 0.4, 0.4), day_usd=0.5), 0.1, 1)
    assert ([share.granted for share in shares], refusals) == ([0.2, 0.2], ["held", None])
    assert [row for row in granted(link) if row[1] == "b"] == [("2026-02", "b", 0.2), ("2026-02-10", "b", 0.2)]
    given_back = give_back_all(link, "a", held(Share(0.1, 0.5, 0.5), Share(0.1, 5.0, 5.0)))
    assert [(share.fence, share.granted) for share in given_back] == [(0.1, 0.1), (0.1, 0.1)]
    assert granted(link)[::2] == [("2026-02", "a", 0.1), ("2026-02-10", "a", 0.1)]


@pytest.mark.parametrize(("billed", "refusal"), [(0.24, "held"), (0.25, "spent")])
def test_a_budget_is_spent_by_bills_and_held_by_calls_under_way(
    link: sqlite3.Connection, billed: float, refusal: str
) -> None:
    rows = [
        ("k", TODAY, "a", billed),
        ("k", TODAY, "dead", 0.25),
        ("k", TODAY - 1, "a", 9.0),
        ("k", TODAY + 1, "a", 9.0),
        ("other", TODAY, "a", 9.0),
    ]
    link.executemany("INSERT INTO spending VALUES (?, ?, ?, ?)", rows)
    full = held(Share(0.5, 0.5, 0.5), Share(0.5, 0.5, 0.5), day_usd=0.5)
    assert lease_all(link, "a", full, 0.1, 1)[1] == [refusal, None]


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (("k", TODAY, "dead", 0.5), 0.2),  # the bills of whoever holds nothing
        (("k", TODAY, "b", 0.5), 0.7),  # of who holds a lease that lease alone
        (("k", TODAY, "a", 0.5), 0.7),  # one's own are in the share
        (("k", TODAY - 1, "dead", 0.5), 0.7),
        (("k", TODAY + 1, "dead", 0.5), 0.7),
        (("other", TODAY, "dead", 0.5), 0.7),
    ],
)
def test_everybody_else_counts_once_and_in_their_own_period(
    link: sqlite3.Connection, row: tuple[str, int, str, float], left: float
) -> None:
    lease_all(link, "b", held()[:1], 0.3, 9)
    elsewhere = [("other", "2026-02-10", "b", 0.4), ("k", "2026-02-09", "b", 0.4)]
    link.executemany("INSERT INTO leases VALUES (?, ?, ?, ?)", elsewhere)
    link.execute("INSERT INTO spending VALUES (?, ?, ?, ?)", row)
    (share,), (refusal,) = lease_all(link, "a", held()[:1], 9.0, 1)
    assert (share.fence, refusal) == (pytest.approx(left), None)


def test_what_was_held_of_days_that_have_ended_is_let_go(link: sqlite3.Connection) -> None:
    """A row a key and day stayed for as long as a worker lived, and all of them are read every two seconds."""
    lease_all(link, "a", held(), 0.5, 1)
    lease_all(link, "b", held(), 0.1, 1)
    tomorrow = [Holding("k", day_of(NOON + DAY_S), 1.0, NOTHING), Holding("k", month_of(NOON + DAY_S), 20.0, NOTHING)]
    lease_all(link, "a", tomorrow, 0.5, 1)
    assert [row[:2] for row in granted(link)] == [
        ("2026-02", "a"),
        ("2026-02", "b"),
        ("2026-02-10", "b"),
        ("2026-02-11", "a"),
    ]
    other = [Holding("other", day_of(NOON + 2 * DAY_S), 1.0, NOTHING)]
    give_back_all(link, "a", other)
    assert len(granted(link)) == 5
