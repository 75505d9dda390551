"""A worker that was refused, or whose ledger is away, does not ask again with every request."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from tenbin.store.budgets import Budgets
from tenbin.store.leases import lease_all
from tests.store.made import key, running

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("patience_s", "asked"), [(60.0, 3), (0.0, 4)])
def test_a_spent_key_asks_again_after_patience_or_a_settlement(tmp_path, monkeypatch, patience_s, asked):
    calls = []
    monkeypatch.setattr("tenbin.store.budgets.PATIENCE_S", patience_s)
    monkeypatch.setattr("tenbin.store.budgets.lease_all", lambda *held: calls.append(held) or lease_all(*held))

    async def work():
        async with running(tmp_path) as ledger:
            budgets = Budgets(tmp_path, ledger.writer, 1, wall=lambda: NOON)
            made = [await budgets.reserve(key(day_usd=1.0), 0.6) for _ in range(4)]
            assert (made[2:], len(calls)) == ([None, None], asked)
            budgets.settle(made[0], 0.1)
            assert await budgets.reserve(key(day_usd=1.0), 0.6)
            budgets.close()

    asyncio.run(work())


def test_a_ledger_that_cannot_be_opened_is_not_asked_by_every_request(tmp_path, caplog):
    caplog.set_level(logging.WARNING)  # whatever a gateway that ran before in this process has set
    (tmp_path / "ledger.sqlite").write_bytes(b"no database " * 100)
    who = key(day_usd=1.0)

    async def work():
        budgets = Budgets(tmp_path, "w0", 2, wall=lambda: NOON)
        assert sum([await budgets.reserve(who, 0.1) is not None for _ in range(20)]) == 5
        budgets.close()

    asyncio.run(work())
    assert 1 <= caplog.text.count("budgets cannot be shared") <= 3  # one a second
