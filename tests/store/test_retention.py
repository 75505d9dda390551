"""Texts that are taken out are out: of the tables, the free pages, the log and the journals; the sums stay."""

import asyncio
import os
import sqlite3
import time

import numpy as np
import pytest

from tenbin.errors import StoreError
from tenbin.store.apply import insert, user_hash
from tenbin.store.call import MISSING
from tenbin.store.database import open_database, transaction
from tenbin.store.folder import StoreFolder
from tenbin.store.ledger import Ledger
from tenbin.store.reader import Reader
from tenbin.store.records import Feedback
from tenbin.store.retention import Erased, delete_user, expire, forget
from tenbin.store.schema import LEDGER
from tests.store.made import decided, exit_code, fork, intent, open_files, running, settled

DAY = 86400.0
PLANTED = b"a planted secret that nobody else would write"


def traces(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and PLANTED in path.read_bytes())


async def call(ledger, name, **given):
    assert await ledger.record(intent(name, prompt=b'{"text": "' + PLANTED + b'"}', **given))
    assert await ledger.record(settled(name, answer=PLANTED))


def test_a_users_texts_are_gone_from_every_file_while_the_gateway_runs(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            for i in range(5):
                await call(ledger, f"r{i}", user="ann", conversation="c")
            assert traces(tmp_path)
            done = await asyncio.to_thread(delete_user, tmp_path, "ann")
            assert done.pending == ()
            assert traces(tmp_path) == []
            # The ledger goes on in the same journal.
            await ledger.record(intent("later"))
            assert await ledger.flush()
            return done

    done = asyncio.run(work())
    reader = Reader(tmp_path)
    found = {row.request_id: row for row in reader.requests(with_text=True)}
    assert set(found) == {"later", *(f"r{i}" for i in range(5))}
    assert found["r0"].user is None
    assert found["r0"].text_missing == "it was deleted at the user's wish"
    assert reader.spent("key_1", 0.0) == pytest.approx(5 * 0.01 + 0.25)
    (row,) = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT action, subject, texts, calls FROM audit")
    assert row == ("delete_user", user_hash("ann"), done.texts, done.calls)
    assert done.calls >= done.texts >= 0


def test_rows_that_moved_between_pages_leave_nothing_of_their_texts_where_they_were(tmp_path):
    # Answers come later than their prompts, and in another order: rows grow in the midst of others.
    store, chance = StoreFolder(tmp_path), np.random.default_rng(1)
    store.create()
    link = open_database(store.ledger, LEDGER, busy_s=1.0, waits_for_disk=False)
    waiting = []
    for i in range(600):
        user = ("ann", "bob")[i % 2]
        text = (PLANTED if user == "ann" else b"-") + b"." * chance.integers(300)
        given = {"user": user, "profile": f"of {user}", "at": float(i)}
        waiting.append(settled(f"r{i}", answer=text))
        with transaction(link):
            insert(link, "w0~0", [intent(f"r{i}", prompt=text, **given)])
        if len(waiting) > 6:
            with transaction(link):
                insert(link, "w0~0", [waiting.pop(chance.integers(6))])
    insert(link, "w0~0", waiting)
    link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert traces(tmp_path) == ["ledger.sqlite"]
    assert expire(tmp_path, {"of ann": 1.0}, now=300.0 + DAY).texts == 150
    assert delete_user(tmp_path, "ann").texts == 150
    assert traces(tmp_path) == []
    assert link.execute("SELECT count(*) FROM texts").fetchone() == (300,)
    link.close()


def test_rows_on_their_way_when_a_user_is_deleted_arrive_without_the_user(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("open", prompt=PLANTED, user="ann"), intent("bare", user="ann"))
            assert await ledger.flush()
            journals = open_files(tmp_path / "journal")
            await asyncio.to_thread(delete_user, tmp_path, "ann")
            assert open_files(tmp_path / "journal") == journals
            late, new = ({"prompt": text, "user": "ann", "conversation": "c"} for text in (PLANTED, b"after that"))
            await ledger.record(settled("open", answer=PLANTED), settled("bare", answer=PLANTED))
            await ledger.record(intent("late", at=1.0, **late))
            await ledger.record(intent("new", **new), intent("other", at=1.0, user="bob", conversation="d"))
            await ledger.record(intent("mute", at=1.0, user="ann"), settled("mute"))
            assert await ledger.flush()

    asyncio.run(work())
    found = {row.request_id: row for row in Reader(tmp_path).requests(with_text=True)}
    assert [(found[name].prompt, found[name].answer, found[name].user) for name in ("open", "bare", "late")] == [
        (None, None, None)
    ] * 3
    assert (found["late"].conversation, found["new"].conversation) == (None, "c")
    assert found["late"].text_missing == "it was deleted at the user's wish"
    assert (found["mute"].user, found["mute"].text_missing) == (
        None,
        "the profile did not store prompts when this was asked",
    )
    assert (found["new"].prompt, found["new"].user) == (b"after that", "ann")
    assert (found["other"].user, found["other"].conversation) == ("bob", "d")
    assert traces(tmp_path) == []


def test_texts_expire_by_the_days_of_their_profile(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await call(ledger, "old", at=100 * DAY, profile="a")
            await call(ledger, "young", at=109.5 * DAY, profile="a")
            await call(ledger, "kept", at=100 * DAY, profile="b")
            await ledger.record(intent("bare", at=100 * DAY, profile="a"), settled("bare"))

    asyncio.run(work())
    done = expire(tmp_path, {"a": 1.0, "c": 1.0}, now=110 * DAY)
    assert (done.texts, done.pending) == (1, ())
    found = {row.request_id: row for row in Reader(tmp_path).requests(with_text=True)}
    assert found["old"].prompt is None
    assert "retention_days" in found["old"].text_missing
    assert found["young"].prompt
    assert found["kept"].prompt
    link = sqlite3.connect(tmp_path / "ledger.sqlite")
    texts = dict(link.execute("SELECT request_id, texts FROM calls"))
    assert texts == {"old": "expired", "young": "stored", "kept": "stored", "bare": None}
    link.close()
    assert expire(tmp_path, {"a": 1.0}, now=110 * DAY).texts == 0
    assert expire(tmp_path, {"a": 0.0, "b": 0.0}).texts == 2
    assert traces(tmp_path) == []


def test_texts_that_a_dead_worker_left_in_its_journal_are_reached_too(tmp_path):
    def work():
        async def run():
            ledger = Ledger(tmp_path, "w0")
            ledger.start()
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            await call(ledger, "r1", user="ann")
            # Dead on the spot, with the lock held to the end.
            os._exit(7 if holder.in_transaction else 1)

        asyncio.run(run())

    assert exit_code(fork(work)) == 7
    assert [name for name in traces(tmp_path) if name.endswith(".log")]
    assert delete_user(tmp_path, "ann").texts == 1
    assert traces(tmp_path) == []
    assert Reader(tmp_path).spent("key_1", 0.0) == 0.01


def test_what_still_holds_copies_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.retention.WAIT_S", 0.0)
    monkeypatch.setattr("tenbin.store.applier.APPLY_EVERY_S", 5.0)

    async def work():
        async with running(tmp_path) as ledger:
            await ledger.flush()
            await call(ledger, "r1", user="ann")
            done = await asyncio.to_thread(delete_user, tmp_path, "ann")
            assert [name.startswith(ledger.writer) for name in done.pending] == [True]

    asyncio.run(work())
    assert delete_user(tmp_path, "ann").pending == ()
    assert traces(tmp_path) == []


def test_a_log_that_somebody_reads_and_a_journal_that_was_set_aside_are_named_too(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.retention.WAIT_S", 0.0)
    monkeypatch.setattr("tenbin.store.retention.BUSY_S", 0.01)

    async def work():
        async with running(tmp_path) as ledger:
            await call(ledger, "r1", user="ann")
            await ledger.record(intent("r2", user="ann"), settled("r2"))
            await ledger.record(intent("r3", user="bob", prompt=b"his own"), settled("r3"))

    asyncio.run(work())
    aside = tmp_path / "journal" / "w0~1.00000001.damaged"
    aside.write_bytes(PLANTED)
    reading = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    reading.execute("BEGIN")
    assert reading.execute("SELECT count(*) FROM texts").fetchone() == (2,)
    done = delete_user(tmp_path, "ann")
    assert (done.texts, done.calls, done.pending) == (1, 2, ("ledger.sqlite-wal", aside.name))
    reading.close()
    aside.unlink()
    assert delete_user(tmp_path, "ann").pending == ()
    assert traces(tmp_path) == []
    missing = {row.request_id: row.text_missing for row in Reader(tmp_path).requests(with_text=True)}
    assert (missing["r1"], missing["r2"]) == (MISSING["deleted"], MISSING[None])  # where no text was, none is deleted
    assert missing["r3"] is None


def test_what_was_taken_out_is_remembered_without_what_it_was(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await call(ledger, "r1", at=100 * DAY, profile="a")
            await call(ledger, "r2", at=101 * DAY, profile="b")

    asyncio.run(work())
    began = time.time()
    expire(tmp_path, {"a": 1.0, "b": 9.0}, now=110 * DAY)
    assert forget(tmp_path, 5.0, now=110 * DAY) == 2
    rows = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT * FROM audit").fetchall()
    assert [row[1:] for row in rows] == [("expire", "a", 1, 0), ("forget", "older than 5 days", 1, 0)]
    assert all(began <= row[0] <= time.time() for row in rows)


def test_calls_that_are_open_stay_however_old_and_so_do_those_of_the_very_moment(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("open", at=100 * DAY, prompt=PLANTED))
            await call(ledger, "moment", at=105 * DAY)
            for at in (100 * DAY, 105 * DAY):
                await ledger.record(decided(f"dec-{at}", at=at), Feedback("dec", at, None, 0.5))
            assert await ledger.flush()
            assert await asyncio.to_thread(forget, tmp_path, 5.0, 110 * DAY) == 2
            found = {row.request_id: row.prompt for row in Reader(tmp_path).requests(with_text=True)}
            assert found.keys() == {"open", "moment"}
            assert all(found.values())
            assert [row.at for row in Reader(tmp_path).feedback()] == [105 * DAY]
            assert Reader(tmp_path).decision(f"dec-{105 * DAY}") is not None
            assert await asyncio.to_thread(expire, tmp_path, {"auto": 5.0}, 110 * DAY) == Erased(1, 0, ())

    asyncio.run(work())


def test_rows_leave_after_their_time_and_what_was_spent_by_day_stays(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            for i in range(5):
                await call(ledger, f"old{i}", at=100 * DAY)
                await ledger.record(decided(f"dec-old{i}", at=100 * DAY))
            await call(ledger, "young", at=109.5 * DAY)
            await ledger.record(decided("dec-young", at=109.5 * DAY))

    asyncio.run(work())
    spent = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT * FROM spending ORDER BY day").fetchall()
    assert [row[1] for row in spent] == [100, 109]
    assert forget(tmp_path, 5.0, now=110 * DAY) == 10
    reader = Reader(tmp_path)
    assert [(row.request_id, row.answer) for row in reader.requests(with_text=True)] == [("young", PLANTED)]
    assert reader.decision("dec-old0") is None
    assert reader.decision("dec-young") is not None
    assert (
        sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT * FROM spending ORDER BY day").fetchall() == spent
    )
    assert forget(tmp_path, 5.0, now=110 * DAY) == 0
    assert forget(tmp_path, 0.0) == 2
    assert traces(tmp_path) == []


def test_more_rows_than_go_at_once_all_leave(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.retention.ROWS_AT_ONCE", 2)

    async def work():
        async with running(tmp_path) as ledger:
            for i in [*range(5), 99, 99.5]:
                await ledger.record(decided(f"dec-{i}", at=i * DAY), Feedback("dec", i * DAY, None, 0.5))

    asyncio.run(work())
    assert forget(tmp_path, 1.0, now=100 * DAY) == 10
    assert [row.at for row in Reader(tmp_path).feedback()] == [99 * DAY, 99.5 * DAY]


TAKE_OUT = pytest.mark.parametrize(
    "take_out",
    [
        lambda folder: expire(folder, {"auto": 0.0}),
        lambda folder: forget(folder, 0.0),
        lambda folder: delete_user(folder, "ann"),
    ],
)


@TAKE_OUT
def test_of_a_ledger_that_is_locked_nothing_is_taken_out(tmp_path, monkeypatch, take_out):
    monkeypatch.setattr("tenbin.store.retention.BUSY_S", 0.01)

    async def work():
        async with running(tmp_path) as ledger:
            await call(ledger, "r1", user="ann")

    asyncio.run(work())
    holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked"):
        take_out(tmp_path)
    holder.close()
    (row,) = Reader(tmp_path).requests(with_text=True)
    assert (row.user, row.answer) == ("ann", PLANTED)


@TAKE_OUT
def test_what_fails_under_way_takes_nothing_out(tmp_path, take_out):
    async def work():
        async with running(tmp_path) as ledger:
            await call(ledger, "r1", user="ann")

    asyncio.run(work())
    link = sqlite3.connect(tmp_path / "ledger.sqlite")
    link.execute("CREATE TRIGGER refuses BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(StoreError, match="no room"):
        take_out(tmp_path)
    link.close()
    (row,) = Reader(tmp_path).requests(with_text=True)
    assert (row.user, row.answer) == ("ann", PLANTED)
