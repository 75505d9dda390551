"""Budgets: no two requests overshoot, whether of one worker, of two, or of one that was killed between."""

import asyncio
import os
import shutil
import signal
import sqlite3
import threading
from datetime import UTC, datetime

import pytest

from tenbin.store.budgets import Budgets
from tenbin.store.leases import lease_all
from tenbin.store.ledger import Ledger
from tenbin.store.mending import mend
from tenbin.store.reader import Reader
from tests.store.made import exit_code, fork, intent, key, open_files, running, settled, until

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


def of_one_day(folder, writer, workers):
    """Budgets whose day does not end while they are tested: at midnight they would begin anew."""
    return Budgets(folder, writer, workers, wall=lambda: NOON)


async def spend(ledger, budgets, who, reserve_usd, cost_usd):
    """One request as the gateway makes it; whether it was let in."""
    reservation = await budgets.reserve(who, reserve_usd)
    if reservation is None:
        return False
    row = intent(at=NOON, key_id=who.key_id, reserve_usd=reserve_usd)
    assert await ledger.record(row)
    await asyncio.sleep(0)
    ledger.post(settled(row.request_id, cost_usd=cost_usd))
    budgets.settle(reservation, cost_usd)
    return True


def test_a_key_without_budgets_is_always_let_in(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            reservation = await budgets.reserve(key(), 1e9)
            budgets.settle(reservation, 1e9)
            assert await budgets.reserve(key(), 1e9)
            budgets.close()

    asyncio.run(work())


@pytest.mark.parametrize("usd", [0.0, -0.2, float("nan")])
def test_what_is_no_amount_makes_no_room(tmp_path, usd):
    who = key(day_usd=1.0)

    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            assert await budgets.reserve(who, 0.3)
            for reserve_usd, cost_usd in ((usd, 0.0), (0.1, usd)):
                reservation = await budgets.reserve(who, reserve_usd)
                assert budgets.standing(who)[0].used_usd >= 0.3
                budgets.settle(reservation, cost_usd)
                assert budgets.standing(who)[0].used_usd == pytest.approx(0.3)
            held = open_files(tmp_path)
            budgets.close()
            assert len(open_files(tmp_path)) < len(held)
        assert open_files(tmp_path) == []

    asyncio.run(work())


@pytest.mark.parametrize("budget", [{"day_usd": 1.0}, {"month_usd": 1.0}, {"day_usd": 1.0, "month_usd": 30.0}])
def test_sixty_four_at_once_overshoot_by_one_at_most(tmp_path, budget):
    who = key(**budget)

    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            reservations = await asyncio.gather(*(budgets.reserve(who, 0.3) for _ in range(64)))
            assert sum(reservation is not None for reservation in reservations) == 4
            (*_, last) = budgets.standing(who)
            assert budgets.standing(who)[0].refusal == "held"  # nothing is billed yet
            assert last.resets_at > NOON
            for reservation in reservations:
                if reservation is not None:
                    budgets.settle(reservation, 0.1)
                    budgets.settle(reservation, 0.1)
            # The truth was cheaper than the reserves: there is room again, for as many as fit and one more.
            again = await asyncio.gather(*(budgets.reserve(who, 0.3) for _ in range(64)))
            assert sum(reservation is not None for reservation in again) == 2
            budgets.close()

    asyncio.run(work())


def test_a_gateway_that_takes_over_from_another_finds_room_in_its_budgets(tmp_path):
    """Either knows of one worker only: during a rollout the old and the new one share a store."""
    who = key(day_usd=1.0)

    async def work():
        async with running(tmp_path, "old") as before, running(tmp_path, "new") as after:
            old, new = of_one_day(tmp_path, before.writer, 1), of_one_day(tmp_path, after.writer, 1)
            for _ in range(3):
                assert await spend(before, old, who, 0.02, 0.01)
                assert await spend(after, new, who, 0.02, 0.01)
            old.close()
            new.close()

    asyncio.run(work())


def test_one_budget_that_refuses_leaves_the_other_untouched(tmp_path):
    who = key(day_usd=0.1, month_usd=10.0)

    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            assert await budgets.reserve(who, 0.2)
            assert await budgets.reserve(who, 0.2) is None
            day, month = budgets.standing(who)
            assert (day.used_usd, month.used_usd) == (0.2, 0.2)
            assert (day.refusal, month.refusal) == ("held", None)
            budgets.close()

    asyncio.run(work())


def hammer(folder, worker, who, count):
    async def caller(ledger, budgets):
        for _ in range(count):
            await spend(ledger, budgets, who, 0.03, 0.02)

    async def run():
        async with running(folder, worker) as ledger:
            budgets = of_one_day(folder, ledger.writer, 2)
            tending = asyncio.create_task(budgets.tend(0.05))
            await asyncio.gather(*(caller(ledger, budgets) for _ in range(8)))
            tending.cancel()
            budgets.close()

    asyncio.run(run())


def test_two_processes_overshoot_by_one_at_most_and_spend_what_there_is(tmp_path):
    who = key(day_usd=2.0, month_usd=50.0)
    children = [fork(lambda w=w: hammer(tmp_path, f"w{w}", who, 40)) for w in range(2)]
    assert [exit_code(child) for child in children] == [0, 0]
    mend(tmp_path)
    spent = Reader(tmp_path).spent("key_1", 0.0)
    assert 1.9 < spent <= 2.03 + 1e-9


def test_a_worker_that_is_killed_leaves_its_reserves_spent_and_its_lease_free(tmp_path):
    who = key(day_usd=1.0)
    end, say = os.pipe()

    def work():
        async def run():
            ledger = Ledger(tmp_path, "w0")
            ledger.start()
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            for _ in range(3):
                assert await spend(ledger, budgets, who, 0.2, 0.1)
            assert await budgets.reserve(who, 0.2)
            assert await ledger.record(intent(at=NOON, reserve_usd=0.2))
            os.write(say, b"x")
            await asyncio.sleep(60)

        asyncio.run(run())

    child = fork(work)
    os.read(end, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    async def after():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            # .1 for each settled, .2 for those whose settlement or end nobody saw: .5 to .8 are spent.
            spent = await budgets.reserve(who, 0.0) and Reader(tmp_path).spent("key_1", 0.0)
            assert 0.5 - 1e-9 <= spent <= 0.8 + 1e-9
            count = 0
            while await budgets.reserve(who, 0.1):
                count += 1
            assert count == pytest.approx((1.0 - spent) / 0.1, abs=1.01)
            budgets.close()

    asyncio.run(after())
    os.close(end)
    os.close(say)


def test_a_ledger_that_is_locked_is_no_refusal_and_no_free_pass(tmp_path):
    who = key(day_usd=1.0)

    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 2)
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            let_in = [await budgets.reserve(who, 0.1) is not None for _ in range(20)]
            # An equal part of the budget: half of it, for each of two.
            assert sum(let_in) == 5
            holder.execute("ROLLBACK")
            holder.close()
            await asyncio.sleep(1.1)
            while await budgets.reserve(who, 0.1):
                pass
            assert budgets.standing(who)[0].used_usd == pytest.approx(1.0, abs=0.1001)
            budgets.close()

    asyncio.run(work())


def test_two_who_come_at_once_before_anything_is_leased_are_both_let_in(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 1)
            assert all(await asyncio.gather(*(budgets.reserve(key(day_usd=1.0), 0.01) for _ in range(2))))
            budgets.close()

    asyncio.run(work())


def test_nothing_is_reserved_from_a_share_that_is_being_given_back_nor_from_yesterdays(tmp_path):
    who = key(day_usd=1.0)
    now = [NOON]

    async def work():
        async with running(tmp_path) as ledger:
            budgets = Budgets(tmp_path, ledger.writer, 1, wall=lambda: now[0])
            budgets.settle(await budgets.reserve(who, 0.1), 0.0)
            link = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            held = "SELECT granted_usd FROM leases WHERE period = ?"
            for day, seconds in (("2026-11-30", 0.0), ("2026-12-01", 86_400.0)):
                link.execute("BEGIN IMMEDIATE")  # giving back takes as long as that
                tending = asyncio.create_task(budgets.tend(0.0))
                for _ in range(8):  # it looks, looks again, and asks
                    await asyncio.sleep(0.0)
                now[0] += seconds
                reserving = asyncio.create_task(budgets.reserve(who, 0.1))
                await asyncio.sleep(0.0)
                assert not reserving.done()
                link.execute("ROLLBACK")
                assert await reserving
                tending.cancel()
                assert link.execute(held, (day,)).fetchone()[0] >= budgets.standing(who)[0].used_usd == 0.1
            now[0] += 86_400.0
            assert await budgets.reserve(who, 0.1)  # though there is room left of the day before
            assert budgets.standing(who)[0].used_usd == 0.1
            link.close()
            budgets.close()

    asyncio.run(work())


def test_a_ledger_that_was_put_back_from_a_copy_sees_what_is_held(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            writer = ledger.writer
        budgets = of_one_day(tmp_path, writer, 1)
        shutil.copy(tmp_path / "ledger.sqlite", tmp_path / "copy")
        assert await budgets.reserve(key(day_usd=1.0), 0.1)
        for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
            (tmp_path / name).unlink()
        (tmp_path / "copy").replace(tmp_path / "ledger.sqlite")
        tending = asyncio.create_task(budgets.tend(0.01))
        link = sqlite3.connect(tmp_path / "ledger.sqlite")
        await until(lambda: link.execute("SELECT granted_usd FROM leases").fetchall() == [(0.1,)])
        tending.cancel()
        link.close()
        budgets.close()

    asyncio.run(work())


def test_a_share_that_lies_idle_goes_back(tmp_path):
    who = key(day_usd=1.0)

    async def work():
        async with running(tmp_path, "w0") as one, running(tmp_path, "w1") as two:
            idle, busy = of_one_day(tmp_path, one.writer, 2), of_one_day(tmp_path, two.writer, 2)
            idle.settle(await idle.reserve(who, 0.1), 0.0)
            tending = asyncio.create_task(idle.tend(0.02))
            link = sqlite3.connect(tmp_path / "ledger.sqlite")
            held = "SELECT granted_usd FROM leases WHERE writer = ?"
            assert link.execute(held, (one.writer,)).fetchone()[0] == 0.25
            await until(lambda: link.execute(held, (one.writer,)).fetchone()[0] == 0.0)
            count = 0
            while await busy.reserve(who, 0.1):
                count += 1
            assert count in {10, 11}
            tending.cancel()
            idle.close()
            busy.close()

    asyncio.run(work())
    mend(tmp_path)
    assert not list(sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT * FROM leases"))


def test_what_was_granted_to_a_request_that_left_meanwhile_goes_back(tmp_path, monkeypatch):
    """It was held until the end of the day: for other workers the budget was used up by nobody."""
    who, granted, left = key(day_usd=1.0), threading.Event(), threading.Event()

    def lease_slowly(*asked):
        found = lease_all(*asked)
        granted.set()
        left.wait()
        return found

    async def work():
        async with running(tmp_path) as ledger:
            budgets = of_one_day(tmp_path, ledger.writer, 2)
            monkeypatch.setattr("tenbin.store.budgets.lease_all", lease_slowly)
            leaving = asyncio.create_task(budgets.reserve(who, 5.0))
            await asyncio.to_thread(granted.wait)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            link = sqlite3.connect(tmp_path / "ledger.sqlite")
            held = "SELECT granted_usd FROM leases"
            assert link.execute(held).fetchall() == [(5.0,)]
            left.set()
            tending = asyncio.create_task(budgets.tend(0.01))
            await until(lambda: link.execute(held).fetchall() == [(0.0,)])
            tending.cancel()
            link.close()
            budgets.close()

    asyncio.run(work())


def test_a_new_day_brings_a_new_budget_and_a_clock_set_back_none(tmp_path):
    who = key(day_usd=0.1)
    now = [NOON]

    async def work():
        async with running(tmp_path) as ledger:
            budgets = Budgets(tmp_path, ledger.writer, 1, wall=lambda: now[0])
            old = await budgets.reserve(who, 0.2)
            assert await budgets.reserve(who, 0.2) is None
            now[0] = NOON + 43_200
            assert await budgets.reserve(who, 0.2)
            # Yesterday's call is settled where it was reserved.
            budgets.settle(old, 0.0)
            assert budgets.standing(who)[0].used_usd == 0.2
            now[0] = NOON
            assert await budgets.reserve(who, 0.2) is None
            budgets.close()

    asyncio.run(work())


def test_a_month_is_spent_though_its_days_go_by(tmp_path):
    who = key(day_usd=10.0, month_usd=0.2)
    now = [datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()]

    async def work():
        async with running(tmp_path) as ledger:
            budgets = Budgets(tmp_path, ledger.writer, 1, wall=lambda: now[0])
            assert await budgets.reserve(who, 0.3)
            for _ in range(28):
                now[0] += 86_400.0
                assert await budgets.reserve(who, 0.3) is None
            budgets.close()

    asyncio.run(work())
