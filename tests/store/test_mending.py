"""What dead workers leave: torn tails, damage, locks, and a lock that somebody alive holds."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from tenbin.errors import StoreError
from tenbin.store.database import open_database
from tenbin.store.folder import StoreFolder
from tenbin.store.frames import encoder, frame, frames_end
from tenbin.store.mending import mend
from tenbin.store.presence import Presence, lock_of, new_writer
from tenbin.store.reader import Reader
from tenbin.store.schema import LEDGER
from tests.store.made import exit_code, fork, intent, open_files, running, settled, until


@pytest.fixture
def leave(tmp_path):
    """Leave a journal behind as a worker that has died does: its name."""

    def write(*payloads, tail=b""):
        store = StoreFolder(tmp_path)
        store.create()
        writer = new_writer("w9")
        data = b"".join(frame(encoder().encode(payload)) for payload in payloads) + tail
        (store.journals / f"{writer}.00000000.log").write_bytes(data)
        return writer

    return write


def statuses(folder):
    return {call.request_id: call.status for call in Reader(folder).requests()}


def test_a_journal_without_its_worker_is_brought_in_up_to_its_torn_tail(tmp_path, leave):
    leave([intent("r1"), settled("r1")], [intent("r2")], tail=frame(encoder().encode([settled("r2")]))[:-1])
    assert mend(tmp_path) == 1
    assert mend(tmp_path) == 0
    assert statuses(tmp_path) == {"r1": "ok", "r2": "unknown"}
    assert not list((tmp_path / "journal").iterdir())


def test_a_damaged_journal_is_set_aside_and_what_came_before_is_in(tmp_path, leave):
    leave([intent("r1")], tail=b"\x05\0\0\0nonsense that has no checksum")
    assert mend(tmp_path) == 1
    assert statuses(tmp_path) == {"r1": "unknown"}
    assert [path.suffix for path in (tmp_path / "journal").iterdir()] == [".damaged"]


def test_a_frame_that_is_whole_and_means_nothing_does_not_stop_the_next_and_is_kept_for_people(
    tmp_path, leave, monkeypatch
):
    monkeypatch.setattr("tenbin.store.apply.BATCH_ROWS", 1)
    leave([intent("r1")], {"no": "records"}, [intent("r2")], [intent("r3")])
    assert mend(tmp_path) == 3
    assert set(statuses(tmp_path)) == {"r1", "r2", "r3"}
    assert [path.suffix for path in (tmp_path / "journal").iterdir()] == [".damaged"]


def test_of_a_dead_writer_nothing_is_left_and_of_others_all(tmp_path, leave):
    leave([intent("r1")])
    mend(tmp_path)
    writer = leave([intent("r2")])
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as link:
        segments = [(f"{writer}.00000007.log", 99), ("w8~other.00000001.log", 3)]  # the first was removed, then it died
        link.executemany("INSERT INTO journals VALUES (?, ?)", segments)
        link.executemany("INSERT INTO leases VALUES ('k', '2026-11', ?, 1.0)", [(writer,), ("w8~other",)])
        alive = Presence.take(lock_of(StoreFolder(tmp_path), "w8~other"), is_own=True)
        began = time.time()
        assert mend(tmp_path) == 1
        assert link.execute("SELECT segment FROM journals").fetchall() == [("w8~other.00000001.log",)]
        assert link.execute("SELECT writer FROM leases").fetchall() == [("w8~other",)]
    alive.leave(settled=True)
    assert open_files(tmp_path) == []
    (call,) = (call for call in Reader(tmp_path).requests() if call.request_id == "r2")
    assert began <= call.settled_at <= time.time()


def test_a_locked_ledger_leaves_the_journal_for_later(tmp_path, leave, monkeypatch):
    monkeypatch.setattr("tenbin.store.mending.BUSY_S", 0.05)
    leave([intent("r0")])
    mend(tmp_path)
    writer = leave([intent("r1")])
    holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="database is locked"):
        mend(tmp_path)
    assert list((tmp_path / "journal").glob(f"{writer}*.log"))
    holder.close()
    assert mend(tmp_path) == 1


def test_a_call_settled_late_is_no_longer_unknown(tmp_path, leave):
    writer = leave([intent("r1")])
    mend(tmp_path)
    leave([settled("r1")])
    mend(tmp_path)
    assert statuses(tmp_path) == {"r1": "ok"}
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as link:
        assert link.execute("SELECT writer FROM calls").fetchall() == [(writer,)]  # whoever made it, not who ended it


def test_the_living_are_left_alone_and_their_lock_is_theirs(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r1"))
            await ledger.flush()
            assert mend(tmp_path) == 0
            assert Presence.take(lock_of(StoreFolder(tmp_path), ledger.writer), is_own=False) is None

    asyncio.run(work())


def test_the_living_look_after_the_dead(tmp_path, leave, monkeypatch):
    monkeypatch.setattr("tenbin.store.applier.MEND_EVERY_S", 0.01)
    monkeypatch.setattr("tenbin.store.applier.APPLY_EVERY_S", 0.01)

    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r1"))
            assert await ledger.flush()
            leave([intent("r2")])
            await until(lambda: statuses(tmp_path) == {"r1": None, "r2": "unknown"})

    asyncio.run(work())


def test_mending_that_fails_under_way_is_done_again_as_a_whole(tmp_path, leave):
    writer = leave([intent("r1")])
    open_database(tmp_path / "ledger.sqlite", LEDGER, busy_s=1.0).close()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as link:
        link.execute("INSERT INTO leases VALUES ('k', '2026-11', ?, 1.0)", (writer,))
        link.execute("CREATE TRIGGER refuses BEFORE DELETE ON leases BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(StoreError, match="no room"):
            mend(tmp_path)
        assert statuses(tmp_path) == {"r1": None}
        link.execute("DROP TRIGGER refuses")
    assert mend(tmp_path) == 1
    assert statuses(tmp_path) == {"r1": "unknown"}


def test_calls_whose_worker_left_no_file_are_ended_too(tmp_path, leave):
    leave([intent("r1")])
    mend(tmp_path)
    link = sqlite3.connect(tmp_path / "ledger.sqlite")
    with link:
        link.execute("UPDATE calls SET status = NULL")
    link.close()
    assert mend(tmp_path) == 1


def test_a_folder_without_a_store_is_left_as_it_is(tmp_path):
    assert mend(tmp_path) == 0
    assert not list(tmp_path.iterdir())


def overwrite(file, end):
    file.seek(end - 20)
    file.write(b"XXXX")


def cut_off(file, end):
    file.truncate(end - 20)


def empty(file, end):
    file.truncate(0)


def blank_out(file, end):
    file.write(bytes(end))


@pytest.mark.parametrize("damage", [overwrite, cut_off, empty, blank_out])
def test_damage_to_a_journal_in_use_costs_its_rows_and_no_others(tmp_path, damage):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r1"), settled("r1"))
            assert await ledger.flush()
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            await ledger.record(intent("r2"), settled("r2"))
            (path,) = (tmp_path / "journal").glob("*.log")
            with path.open("r+b") as file:
                damage(file, frames_end(file.fileno()))
            holder.close()
            await ledger.flush()
            await ledger.record(intent("r3"), settled("r3"))
            assert await ledger.flush()
            assert ledger.lost_rows == 2
            assert ledger.spooled_rows == 0

    asyncio.run(work())
    assert statuses(tmp_path) == {"r1": "ok", "r3": "ok"}
    assert [path.suffix for path in (tmp_path / "journal").iterdir()] == [".damaged"]


def test_workers_that_start_at_once_on_a_new_folder_all_get_their_rows_in(tmp_path):
    def work(worker):
        async def run():
            async with running(tmp_path, worker) as ledger:
                for i in range(20):
                    assert await ledger.record(intent(f"{worker}-{i}"), settled(f"{worker}-{i}"))
                assert await ledger.flush()

        asyncio.run(run())

    for _ in range(5):
        children = [fork(lambda w=w: work(f"w{w}")) for w in range(4)]
        assert [exit_code(child) for child in children] == [0] * 4
        assert len(statuses(tmp_path)) == 80
        assert not list((tmp_path / "journal").iterdir())
        shutil.rmtree(tmp_path)
