"""Much is taken out a little at a time: whoever writes meanwhile waits for a moment, and an end for no rest."""

import asyncio
import contextlib
import sqlite3
import threading
import time

from tenbin.store import retention
from tenbin.store.apply import insert, user_hash
from tenbin.store.database import open_database, transaction
from tenbin.store.reader import Reader
from tenbin.store.retention import Erased, expire, forget
from tenbin.store.schema import LEDGER
from tests.store.made import intent, running, settled
from tests.store.test_retention import DAY, PLANTED, call, traces


async def once(folder):
    async with running(folder):
        pass


def test_more_texts_than_go_at_once_all_leave(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.retention.TEXTS_AT_ONCE", 2)

    async def work():
        async with running(tmp_path) as ledger:
            for i in range(5):
                await call(ledger, f"a{i}", at=10 * DAY, profile="a")
                await call(ledger, f"b{i}", at=10 * DAY, profile="b")

    asyncio.run(work())
    assert expire(tmp_path, {"a": 5.0}, now=20 * DAY).texts == 5
    found = [(row.request_id, row.prompt is None) for row in Reader(tmp_path).requests(with_text=True)]
    assert sorted(found) == [(f"{profile}{i}", profile == "a") for profile in "ab" for i in range(5)]
    assert forget(tmp_path, 5.0, now=20 * DAY) == 10
    assert traces(tmp_path) == []
    audit = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT action, total(texts) FROM audit GROUP BY 1")
    assert dict(audit) == {"expire": 5, "forget": 5}


def test_a_year_of_calls_is_looked_through_while_everybody_may_write(tmp_path, monkeypatch):
    """Every hour nobody could write for a second and more: budgets were not shared, rows waited in the journal."""
    opened, held = retention.open_database, []

    def counting(*values, **given):
        link = opened(*values, **given)
        link.set_progress_handler(lambda: held.append(1) if link.in_transaction else None, 100)
        return link

    asyncio.run(once(tmp_path))
    now = time.time()
    with contextlib.closing(open_database(tmp_path / "ledger.sqlite", LEDGER, busy_s=1.0)) as link, transaction(link):
        rows = [intent(f"r{i}", at=now - (400.0 - i / 10) * DAY) for i in range(3_000)]
        rows += [settled(f"r{i}") for i in range(3_000)]
        insert(link, "w~1", rows)
        insert(link, "w~1", [intent("long ago", at=now - 401 * DAY, prompt=PLANTED), settled("long ago")])
    monkeypatch.setattr(retention, "open_database", counting)
    assert expire(tmp_path, {"auto": 30.0}).texts == 1
    assert traces(tmp_path) == []
    assert len(held) < 50


def test_who_takes_out_much_rests_between_two_steps_and_may_be_stopped_there(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.retention.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("tenbin.store.retention.TEXTS_AT_ONCE", 2)

    async def work():
        async with running(tmp_path) as ledger:
            for i in range(6):
                await call(ledger, f"r{i}", at=10 * DAY)

    asyncio.run(work())
    rests = []

    def rest(seconds):
        """Others write meanwhile, and the second one says to stop."""
        with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite", timeout=0.0)) as other:
            other.execute("INSERT INTO audit VALUES (0, 'meanwhile', '', 0, 0)")
            other.commit()
        rests.append(seconds)
        return len(rests) % 2 == 0

    assert expire(tmp_path, {"auto": 5.0}, now=20 * DAY, rest=rest).texts == 4
    assert forget(tmp_path, 5.0, now=20 * DAY, rest=rest) == 2
    assert len(rests) == 4
    assert all(seconds > 0.0 for seconds in rests)
    assert forget(tmp_path, 5.0, now=20 * DAY) == 4
    assert traces(tmp_path) == []


def test_a_long_read_keeps_nobody_from_writing_while_texts_expire(tmp_path, monkeypatch):
    """Every hour nobody could write for five seconds, for as long as somebody copied the ledger."""
    monkeypatch.setattr(retention, "BUSY_S", 60.0)
    monkeypatch.setattr(retention, "WAIT_S", 60.0)
    opened, is_emptying, done = retention.open_database, threading.Event(), []

    def telling(*values, **given):
        link = opened(*values, **given)
        link.set_trace_callback(lambda statement: is_emptying.set() if "TRUNCATE" in statement else None)
        return link

    asyncio.run(once(tmp_path))
    monkeypatch.setattr(retention, "open_database", telling)
    path = tmp_path / "ledger.sqlite"
    with contextlib.ExitStack() as links:
        reader, writer = (
            links.enter_context(contextlib.closing(sqlite3.connect(path, timeout=5.0, isolation_level=None)))
            for _ in range(2)
        )
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM calls").fetchall()
        expiring = threading.Thread(target=lambda: done.append(expire(tmp_path, {"auto": 1.0})))
        writer.execute("INSERT INTO audit VALUES (0, 'before', '', 0, 0)")
        expiring.start()
        assert is_emptying.wait(60.0)
        for n in range(300):
            writer.execute("INSERT INTO audit VALUES (?, 'meanwhile', '', 0, 0)", (n,))
            user_hash("between two writes whoever waits may come " * 10_000)
        reader.execute("COMMIT")
        expiring.join()
    assert done == [Erased(0, 0, ())]
