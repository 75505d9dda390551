"""SQLite locked, full, read-only, broken or deleted: rows spool, and come in once when it is back."""

import asyncio
import errno
import logging
import os
import resource
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tenbin.errors import StoreError
from tenbin.store.mending import mend
from tenbin.store.reader import Reader
from tests.store.made import exit_code, fork, intent, running, settled, until


async def rows(ledger, prefix, count, durable=True):
    for i in range(count):
        assert await ledger.record(intent(f"{prefix}{i}")) is durable
        ledger.post(settled(f"{prefix}{i}"))


def arrived(folder):
    calls = list(Reader(folder).requests())
    assert {call.status for call in calls} == {"ok"}
    return sorted(call.request_id for call in calls)


def names(*parts):
    return sorted(f"{prefix}{i}" for prefix, count in parts for i in range(count))


def test_a_lock_that_another_holds_delays_rows_and_loses_none(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await rows(ledger, "before", 5)
            assert await ledger.flush()
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            await rows(ledger, "during", 50)
            assert not await ledger.flush()
            assert ledger.is_degraded
            assert ledger.spooled_rows == 100
            holder.execute("ROLLBACK")
            await until(lambda: not ledger.spooled_rows)
            assert await ledger.flush()
            assert not ledger.is_degraded

    asyncio.run(work())
    assert arrived(tmp_path) == names(("before", 5), ("during", 50))


def test_a_ledger_that_stays_locked_is_caught_up_by_the_next_start(tmp_path):
    async def first():
        async with running(tmp_path) as ledger:
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            await rows(ledger, "during", 20)
            await ledger.record(intent("open"))
        return holder

    holder = asyncio.run(first())
    assert list((tmp_path / "journal").glob("*.log"))
    holder.close()

    async def second():
        async with running(tmp_path) as ledger:
            assert await ledger.flush()

    asyncio.run(second())
    calls = {call.request_id: call.status for call in Reader(tmp_path).requests()}
    assert calls.pop("open") == "unknown"
    assert sorted(calls) == names(("during", 20))
    assert not list((tmp_path / "journal").iterdir())


class Releases(logging.Handler):
    """Ends a transaction as soon as somebody says that it is in the way."""

    def __init__(self, holder):
        super().__init__()
        self.holder = holder

    def emit(self, _):
        self.holder.close()


def test_a_neighbours_transaction_at_the_end_leaves_nothing_to_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.applier.BUSY_S", 0.01)
    holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None, check_same_thread=False)
    releases = Releases(holder)

    async def work():
        async with running(tmp_path) as ledger:
            await rows(ledger, "r", 1)
            assert await ledger.flush()
            holder.execute("BEGIN IMMEDIATE")
            logging.getLogger("tenbin.store").addHandler(releases)

    try:
        asyncio.run(work())
    finally:
        logging.getLogger("tenbin.store").removeHandler(releases)
    assert arrived(tmp_path) == names(("r", 1))
    assert not list((tmp_path / "journal").iterdir())


def test_a_start_on_a_broken_ledger_spools_until_it_is_taken_away(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database" * 100)

    async def work():
        async with running(tmp_path) as ledger:
            await rows(ledger, "r", 5)
            assert not await ledger.flush()
            with pytest.raises(StoreError, match="not a database"):
                Reader(tmp_path).decision("d")
            assert ledger.is_degraded
            (tmp_path / "ledger.sqlite").unlink()
            await until(lambda: not ledger.spooled_rows)
            await until(lambda: not ledger.is_degraded)

    asyncio.run(work())
    assert arrived(tmp_path) == names(("r", 5))
    assert caplog.text.count("the ledger does not take rows") == caplog.text.count("the ledger takes rows again") == 1


def test_a_folder_that_is_deleted_under_way_is_made_again(tmp_path):
    folder = tmp_path / "store"

    async def work():
        async with running(folder) as ledger:
            await rows(ledger, "before", 5)
            assert await ledger.flush()
            shutil.rmtree(folder)
            await rows(ledger, "after", 20)
            assert await ledger.flush()
            assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
            # A neighbour that starts now must not take this one for dead.
            async with running(folder, "w1") as neighbour:
                await rows(neighbour, "neighbour", 5)
                await ledger.record(intent("open"))
                assert await ledger.flush()
                assert await neighbour.flush()
                assert {call.status for call in Reader(folder).requests()} == {"ok", None}
                ledger.post(settled("open"))

    asyncio.run(work())
    found = set(arrived(folder))
    assert found >= {"open", *names(("after", 20), ("neighbour", 5))}


def test_journals_that_are_deleted_before_they_are_read_are_counted_and_the_rest_comes_in(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.writer.SEGMENT_BYTES", 1_000)
    for wait in ("APPLY_EVERY_S", "RETRY_S", "BUSY_S"):
        monkeypatch.setattr(f"tenbin.store.applier.{wait}", 0.01)

    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("first"))
            assert await ledger.flush()
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
            for i in range(5):
                assert await ledger.record(intent(f"r{i}", prompt=b"p" * 2_000))
            journals = list((tmp_path / "journal").glob("*.log"))
            assert len(journals) == 5  # the first is open to be read, and so is there for whoever has it open
            for path in journals:
                path.unlink()
            holder.close()
            await until(lambda: not ledger.spooled_rows)
            assert (ledger.lost_rows, ledger.queue_depth) == (4, 0)
            assert await ledger.record(intent("last"))

    asyncio.run(work())
    assert {call.request_id for call in Reader(tmp_path).requests()} == {"first", "r0", "last"}
    assert not list((tmp_path / "journal").iterdir())


def test_a_ledger_that_is_put_back_from_a_copy_takes_what_comes_and_what_still_stands_in_the_journal(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await rows(ledger, "before", 1)
            assert await ledger.flush()
            with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as link:
                link.execute("VACUUM INTO ?", (str(tmp_path / "copy"),))
            await rows(ledger, "between", 1)
            assert await ledger.flush()
            for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
                (tmp_path / name).unlink()
            (tmp_path / "copy").replace(tmp_path / "ledger.sqlite")
            await rows(ledger, "after", 1)
            assert await ledger.flush()

    asyncio.run(work())
    assert arrived(tmp_path) == names(("before", 1), ("between", 1), ("after", 1))


@pytest.mark.parametrize("leaves", [False, True], ids=["under way", "at the end"])
def test_no_journal_goes_before_its_rows_are_on_the_disk_in_the_ledger(tmp_path, monkeypatch, leaves):
    monkeypatch.setattr("tenbin.store.writer.SEGMENT_BYTES", 50_000)
    sync, broken = os.fsync, ["-wal"]

    def failing_sync(fd):
        if os.readlink(f"/proc/self/fd/{fd}").endswith(tuple(broken)):
            raise OSError(errno.EIO, "the disk does not answer")
        sync(fd)

    async def work():
        async with running(tmp_path) as ledger:
            for i in range(20):
                await ledger.record(intent(f"r{i}", prompt=b"x" * 10_000))
            assert not await ledger.flush()
            assert ledger.is_degraded
            assert len(journals()) > 1
            if not leaves:
                broken.clear()
                assert await ledger.flush()
                assert len(journals()) == 1

    def journals():
        return [path.name for path in (tmp_path / "journal").glob("*.log")]

    monkeypatch.setattr(os, "fsync", failing_sync)
    asyncio.run(work())
    if leaves:
        with pytest.raises(StoreError, match="does not answer"):
            mend(tmp_path)
        assert journals()
    broken.clear()
    mend(tmp_path)
    assert not journals()
    assert len(list(Reader(tmp_path).requests())) == 20


def test_a_disk_that_is_full_keeps_rows_in_memory_and_writes_them_later(tmp_path, caplog):
    caplog.set_level(logging.WARNING)

    def work():
        async def run():
            async with running(tmp_path) as ledger:
                await rows(ledger, "before", 3)
                assert await ledger.flush()
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                # No file may grow any more: the journal, the database and its log alike.
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
                await rows(ledger, "during", 100, durable=False)
                assert not await ledger.flush()
                assert ledger.queue_depth >= 200
                assert ledger.is_degraded
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                await until(lambda: not ledger.queue_depth)
                await rows(ledger, "after", 3)
                await until(lambda: not ledger.spooled_rows)
                await until(lambda: not ledger.is_degraded)
                assert ledger.lost_rows == 0

        asyncio.run(run())
        assert caplog.text.count("the journal cannot be written") == 1
        assert caplog.text.count("the journal is written again") == 1

    assert exit_code(fork(work)) == 0
    assert arrived(tmp_path) == names(("before", 3), ("during", 100), ("after", 3))


@pytest.mark.parametrize("is_mended", [True, False])
def test_at_the_end_the_disk_is_tried_once_more_and_what_it_does_not_take_is_told(tmp_path, caplog, is_mended):
    def work():
        async def run():
            async with running(tmp_path) as ledger:
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
                await rows(ledger, "r", 5, durable=False)
                if is_mended:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            assert ledger.lost_rows == (0 if is_mended else 10)

        asyncio.run(run())
        assert caplog.text.count("rows are lost: 10") == (not is_mended)

    assert exit_code(fork(work)) == 0
    mend(tmp_path)
    assert len(list(Reader(tmp_path).requests())) == (5 if is_mended else 0)


def test_a_disk_that_fills_in_the_middle_of_a_row_tears_nothing(tmp_path):
    def work():
        async def run():
            async with running(tmp_path) as ledger:
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
                kept = [await ledger.record(intent(f"r{i}", prompt=b"p" * 700)) for i in range(60)]
                assert 10 < sum(kept) < 30
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                for i in range(60):
                    ledger.post(settled(f"r{i}"))
                await until(lambda: not ledger.queue_depth)
                await until(lambda: not ledger.spooled_rows)

        asyncio.run(run())

    assert exit_code(fork(work)) == 0
    assert arrived(tmp_path) == names(("r", 60))


def test_a_disk_that_stays_full_costs_every_row_only_once(tmp_path):
    def work():
        async def run():
            async with running(tmp_path) as ledger:
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
                for i in range(3000):
                    assert not await ledger.record(intent(f"r{i}"), settled(f"r{i}"))
                assert ledger.queue_depth == 6000
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                await until(lambda: not ledger.queue_depth)
                await until(lambda: not ledger.spooled_rows)

        asyncio.run(run())

    assert exit_code(fork(work)) == 0
    assert arrived(tmp_path) == names(("r", 3000))


def test_what_finds_no_room_in_memory_is_counted(tmp_path):
    def work():
        async def run():
            async with running(tmp_path, queue_bytes=10_000) as ledger:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
                for i in range(100):
                    assert not await ledger.record(intent(f"r{i}", prompt=b"p" * 500))
                assert 10 < ledger.queue_depth < 30
                assert ledger.lost_rows == 100 - ledger.queue_depth

        asyncio.run(run())

    assert exit_code(fork(work)) == 0


def test_a_ledger_that_is_read_only_is_written_once_it_is_not():
    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(one_row(folder))
        path = folder / "ledger.sqlite"
        path.chmod(0o400)
        if os.geteuid() == 0:
            # Root may write anything, so somebody else has to try.
            for found in [folder, *folder.rglob("*")]:
                os.chown(found, 65534, 65534)

        def work():
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)

            async def run():
                async with running(folder) as ledger:
                    await rows(ledger, "during", 10)
                    assert not await ledger.flush()
                    assert Reader(folder).spent("key_1", 0.0) == pytest.approx(0.01)
                    for found in folder.glob("ledger.sqlite*"):
                        found.chmod(0o600)
                    await until(lambda: not ledger.spooled_rows)

            asyncio.run(run())

        assert exit_code(fork(work)) == 0
        assert arrived(folder) == names(("before", 1), ("during", 10))
    finally:
        shutil.rmtree(folder)


async def one_row(folder):
    async with running(folder) as ledger:
        await rows(ledger, "before", 1)


def test_a_text_without_room_is_left_out_and_its_row_is_not(tmp_path):
    async def work():
        async with running(tmp_path, queue_bytes=10_000) as ledger:
            assert await ledger.record(intent("r1", prompt=b"x" * 20_000))
            ledger.post(settled("r1", answer=b"x" * 20_000))
            assert await ledger.flush()
            assert ledger.lost_rows == 0

    asyncio.run(work())
    (call,) = Reader(tmp_path).requests(with_text=True)
    assert (call.status, call.billed_usd, call.prompt, call.answer) == ("ok", 0.01, None, None)
