"""The wall clock jumps: budgets neither come back nor run out by it, and everything else is served as before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tenbin.store.budgets import Budgets
from tenbin.store.keys import create_key
from tests.gateway.running import Running, Upstreams, eventually

DAY_S = 86_400.0


class Wall:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gateway(folder: Path, ups: Upstreams) -> Iterator[Running]:
    with Running(folder, ups, gateway='keys = "required"') as running:
        yield running


def test_a_clock_that_jumps_gives_no_budget_back_and_takes_none(gateway: Running) -> None:
    services = gateway.gateway.services
    wall = Wall()
    usual = services.budgets
    services.budgets = Budgets(gateway.store, services.ledger.writer, 1, wall=wall)
    secret, key = create_key(gateway.store, "client", day_usd=0.02, month_usd=100.0)
    eventually(lambda: len(services.ring) == 1, "the key")
    headers = {"authorization": f"Bearer {secret}"}

    def spend() -> int:
        """Ask until the budget refuses; how often it did not."""
        for served in range(1000):
            answer = gateway.chat(headers=headers, max_tokens=100)
            if answer.status != 200:
                assert (answer.status, answer.error["code"]) == (429, "budget_exhausted")
                return served
        raise AssertionError("the budget never refused")

    first = spend()
    assert first > 0
    for jump in (-0.9, 0.9, -0.1, 0.1):  # days: back over midnight it is still the day that has been spent
        wall.now += jump * DAY_S
        assert spend() == 0
    wall.now += 400 * DAY_S  # a day in another year has a budget of its own
    assert spend() > 0
    wall.now -= 400 * DAY_S  # and ours is still spent when the clock is right again
    assert spend() == 0
    standing = services.budgets.standing(key)
    assert all(entry.used_usd >= 0.0 for entry in standing)
    services.budgets, jumped = usual, services.budgets
    jumped.close()


def test_a_day_that_goes_back_takes_up_the_prices_of_that_day(gateway: Running) -> None:
    app = gateway.gateway
    today = app.snapshot.day
    app.snapshot = replace(app.snapshot, day=today + timedelta(days=400))
    app.reload_on_new_day()
    assert app.snapshot.day in (today, today + timedelta(days=1))  # midnight may have passed meanwhile
