"""A system that has no thread to give for a while: what could not begin begins later, and nothing ends."""

import asyncio
import logging

from tenbin.store.budgets import Budgets
from tenbin.store.keyring import KeyRing
from tenbin.store.keys import create_key
from tenbin.store.reader import Reader
from tests.store.made import intent, key, no_new_threads, running, until


def test_a_journal_that_wants_a_new_file_waits_and_goes_on(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            assert await ledger.record(intent("before"))
            with no_new_threads():
                ledger._journal.turn_now()
                assert not await ledger.record(intent("during"))
                assert ledger.is_degraded
            await until(lambda: not ledger.queue_depth)
            assert await ledger.record(intent("after"))
            assert await ledger.flush()

    asyncio.run(work())
    assert {call.request_id for call in Reader(tmp_path).requests()} == {"before", "during", "after"}


def test_keys_are_followed_on(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    ring = KeyRing(tmp_path)

    async def work():
        with no_new_threads():
            task = asyncio.create_task(ring.follow())
            await until(lambda: "the keys cannot be read" in caplog.text)
        secret, record = create_key(tmp_path, "web")
        await until(lambda: ring.find(secret) == record)
        task.cancel()

    asyncio.run(work())


def test_budgets_go_on_alone(tmp_path):
    who = key(day_usd=1.0)

    async def work():
        async with running(tmp_path) as ledger:
            budgets = Budgets(tmp_path, ledger.writer, 2)
            with no_new_threads():
                alone = [await budgets.reserve(who, 0.2) for _ in range(5)]
            assert sum(one is not None for one in alone) == 3  # an equal part of it, and what overshoots that
            budgets.close()

    asyncio.run(work())
