"""What one worker holds of one key's budgets, without the ledger: periods, reserves, what is handed on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tenbin.store.account import Account
from tenbin.store.period import DAY_S
from tenbin.store.share import Share
from tests.store.made import key

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC).timestamp()
BOTH = key(day_usd=1.0, month_usd=8.0)


def leased(account: Account, *grants: float) -> Account:
    """The account with these dollars granted on its shares, in their order."""
    shares = [replace(slot.share, fence=usd, granted=usd) for slot, usd in zip(account.slots, grants, strict=True)]
    account.take(account.holdings(), shares, [None] * len(shares))
    return account


def test_every_budget_has_a_share_of_its_period_and_none_where_nothing_is_budgeted() -> None:
    account = Account(BOTH, NOON, 4)
    assert [(slot.period.name, slot.budget_usd) for slot in account.slots] == [("2026-11-17", 1.0), ("2026-11", 8.0)]
    assert [slot.share for slot in account.slots] == [Share(offline_fence=0.25), Share(offline_fence=2.0)]
    assert [slot.period.kind for slot in Account(key(month_usd=8.0), NOON, 4).slots] == ["month"]


def test_a_day_is_begun_anew_at_its_end_and_found_again_where_the_clock_was_ahead() -> None:
    account = Account(BOTH, NOON, 1)
    account.refused_until = 9.0
    day, month = account.slots
    account.turn(NOON + DAY_S / 2 - 0.1)
    assert (account.slots, account.refused_until) == ((day, month), 9.0)
    account.turn(NOON + DAY_S / 2)
    assert (account.slots[0] is day, account.slots[1] is month, account.refused_until) == (False, True, 0.0)
    for days in (2, 3, 4):
        account.turn(NOON + days * DAY_S)
    account.turn(NOON)
    assert account.slots == (day, month)
    for days in range(1, 6):  # of more than six periods the longest unused is forgotten, never the month in use
        account.turn(NOON - days * DAY_S)
    assert account.slots[1] is month
    account.turn(NOON)
    assert (account.slots[0] is day, account.slots[1] is month) == (False, True)


def test_a_reserve_is_settled_once_where_it_was_made() -> None:
    account = leased(Account(BOTH, NOON, 1), 0.5, 0.5)
    reserved = account.reserve(0.4)
    assert [slot.share.used for slot in account.slots] == [0.4, 0.4]
    assert (account.has_room(0.1), account.has_room(0.11)) == (True, False)
    account.refused_until = 9.0
    account.turn(NOON + DAY_S)
    account.refused_until = 9.0
    reserved.settle(0.1)
    reserved.settle(0.1)
    assert [slot.share.used for slot in reserved.slots] == pytest.approx([0.1, 0.1])
    assert [slot.share.used for slot in account.slots] == pytest.approx([0.0, 0.1])
    assert account.refused_until == 0.0  # there may be room again
    account.refused_until = 9.0
    account.reserve(0.2).settle(0.2)
    assert account.refused_until == 9.0


def test_one_share_without_room_is_none_for_the_whole() -> None:
    assert not leased(Account(BOTH, NOON, 1), 1.0, 0.1).has_room(0.2)
    account = Account(BOTH, NOON, 2)
    assert account.goes_on_alone()
    account.reserve(0.5)
    assert not account.goes_on_alone()  # of the day its half is used, of the month it is not


def test_a_grant_leaves_what_was_used_meanwhile_and_periods_that_are_gone() -> None:
    account = Account(BOTH, NOON, 1)
    held = account.holdings()
    assert [(each.key_id, each.period, each.budget_usd) for each in held] == [
        ("key_1", slot.period, slot.budget_usd) for slot in account.slots
    ]
    account.reserve(0.3)
    account.turn(NOON + DAY_S)
    account.take(held, [Share(0.0, 0.5, 0.5, 1.0)] * 2, ["spent", "held"])
    day, month = account.slots
    assert (day.share, day.refusal) == (Share(offline_fence=1.0), None)
    assert (month.share, month.refusal) == (Share(0.3, 0.5, 0.5, 1.0), "held")
    assert [(s.period, s.budget_usd, s.used_usd, s.refusal) for s in account.standing()] == [
        ("day", 1.0, 0.0, None),
        ("month", 8.0, 0.3, "held"),
    ]
    assert [s.resets_at for s in account.standing()] == [slot.period.ends_at for slot in account.slots]


def test_idle_shares_and_what_was_spent_beyond_a_grant_want_tending() -> None:
    assert not Account(BOTH, NOON, 1).wants_tending()  # nothing was ever asked for
    both = leased(Account(BOTH, NOON, 1), 0.5, 5.0)
    both.reserve(0.6)
    assert both.wants_tending()  # the day is beyond its grant, the month is not
    account = leased(Account(key(day_usd=1.0), NOON, 1), 0.5)
    assert account.wants_tending()
    account.reserve(0.25)
    assert [account.wants_tending() for _ in range(2)] == [False, True]  # in use, then idle for a whole look
    account.reserve(0.5)
    assert account.wants_tending()
    assert not leased(account, 0.75).wants_tending()  # idle, but nothing is left to give back
