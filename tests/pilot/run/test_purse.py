"""The purse: whatever is reserved and settled in whatever order, the budget holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.pilot.run.purse import Purse, Reserve

MONEY = st.floats(0.0, 3.0)


@settings(max_examples=100)
@given(st.floats(0.0, 20.0), st.lists(st.tuples(MONEY, st.floats(0.0, 1.0), st.integers(0, 9)), max_size=60))
def test_the_budget_holds_in_any_order(budget_usd: float, calls: list[tuple[float, float, int]]) -> None:
    purse = Purse(budget_usd)
    running: list[tuple[Reserve, float]] = []
    billed = 0.0
    for usd, share, ends in calls:
        reserve = purse.reserve(usd)
        if reserve is None:
            assert purse.left_usd < usd
        else:
            running.append((reserve, usd * share))
        if running and ends < 5:
            ended, cost_usd = running.pop(ends % len(running))
            purse.settle(ended, cost_usd)
            billed += cost_usd
        assert purse.spent_usd == billed
        assert purse.spent_usd + purse.reserved_usd <= budget_usd + 1e-12
    for ended, cost_usd in running:
        purse.settle(ended, cost_usd)
        billed += cost_usd
    assert billed <= budget_usd + 1e-12
    assert purse.reserved_usd == 0.0
    assert purse.overrun_usd == 0.0


def test_what_was_spent_before_counts() -> None:
    purse = Purse(1.0, spent_usd=0.75)
    assert purse.reserve(0.5) is None
    assert purse.reserve(0.25) is not None
    assert purse.left_usd == 0.0


def test_a_call_that_costs_more_than_its_bound_is_counted_whole_and_said() -> None:
    purse = Purse(1.0)
    reserve = purse.reserve(0.5)
    assert reserve is not None
    purse.settle(reserve, 0.75)
    assert (purse.spent_usd, purse.overrun_usd, purse.left_usd) == (0.75, 0.25, 0.25)
    last = purse.reserve(0.25)
    assert last is not None
    purse.settle(last, 0.5)
    assert (purse.spent_usd, purse.left_usd) == (1.25, 0.0)
    with pytest.raises(KeyError):
        purse.settle(reserve, 0.75)
