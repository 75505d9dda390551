"""Days and months in UTC, and the clock that they are read from."""

from datetime import UTC, datetime

from tenbin.store.period import ForwardClock, day_of, month_of


def test_periods_are_those_of_utc():
    end_of_year = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert (day_of(end_of_year).name, month_of(end_of_year).name) == ("2026-12-31", "2026-12")
    assert day_of(end_of_year).ends_at == month_of(end_of_year).ends_at == end_of_year + 1
    assert month_of(end_of_year + 1).name == "2027-01"
    assert day_of(end_of_year + 0.75) == day_of(end_of_year)
    assert month_of(end_of_year + 0.75) == month_of(end_of_year)


def test_a_clock_that_was_a_year_ahead_is_believed_again():
    readings = iter([100.0, 200.0, 150.0, 3e7, 300.0])
    clock = ForwardClock(lambda: next(readings))
    assert [clock.now() for _ in range(4)] == [200.0, 200.0, 3e7, 300.0]
