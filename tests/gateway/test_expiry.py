from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest

from tenbin.gateway.expiry import Expiry
from tenbin.gateway.retained import KIND, Retained
from tenbin.store.database import open_database, transaction
from tenbin.store.folder import StoreFolder
from tenbin.store.marks import Marks
from tenbin.store.schema import LEDGER

DAY_S = 86_400.0
HOUR_S = 3_600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with a decision of the day 1000 and one of the day 1060."""
    store = StoreFolder(tmp_path)
    store.create()
    with closing(open_database(store.ledger, LEDGER, busy_s=1.0)) as link, transaction(link):
        rows = [(f"dec-{day}", day * DAY_S, None, "auto", "good", b"{}") for day in (1000, 1060)]
        link.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?)", rows)
    return store.ledger


class Clocks:
    """Wall and steady clock of a machine, beginning on the day 1080."""

    def __init__(self, folder: Path) -> None:
        self.wall, self.steady = 1080 * DAY_S, 50.0
        retained = Retained(Marks(folder, KIND))
        self.expiry = Expiry(folder, retained, wall=lambda: self.wall, steady=lambda: self.steady)

    def look_in_an_hour(self, leap_s: float = 0.0) -> None:
        self.wall, self.steady = self.wall + HOUR_S + leap_s, self.steady + HOUR_S
        self.expiry.look({}, 90)


def left(ledger: Path) -> int:
    with closing(open_database(ledger, LEDGER, busy_s=1.0)) as link:
        return int(link.execute("SELECT count(*) FROM decisions").fetchone()[0])


def test_a_clock_that_leaps_ahead_for_a_moment_deletes_nothing(ledger: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One wrong step of the clock emptied the ledger at the next full hour, for good."""
    clocks = Clocks(ledger.parent)
    clocks.look_in_an_hour()
    with caplog.at_level(logging.ERROR):
        clocks.look_in_an_hour(leap_s=400 * DAY_S)
    assert "leapt ahead" in caplog.text
    clocks.look_in_an_hour(leap_s=-400 * DAY_S)
    assert left(ledger) == 2


def test_what_is_old_goes_where_the_clock_stays_ahead_and_as_days_go_by(ledger: Path) -> None:
    clocks = Clocks(ledger.parent)
    clocks.look_in_an_hour()
    clocks.look_in_an_hour(leap_s=11 * DAY_S)
    assert left(ledger) == 2
    clocks.look_in_an_hour()
    assert left(ledger) == 1
    for _ in range(60):  # somebody's hours are long: nothing is odd about that
        clocks.look_in_an_hour(leap_s=DAY_S - HOUR_S)
    assert left(ledger) == 0
