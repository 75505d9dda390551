"""Rows go in and come out once; files are private; what cannot be mended by waiting is said at the start."""

import asyncio
import contextlib
import sqlite3
import stat
import threading

import pytest

from tenbin.errors import StoreError
from tenbin.store.ledger import Ledger
from tenbin.store.reader import Reader
from tenbin.store.records import Feedback
from tenbin.types import Usage
from tests.store.made import decided, intent, open_files, running, settled, until


def test_a_call_is_open_at_its_reserve_and_settled_at_its_cost(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            assert await ledger.record(decided(), intent("r1", decision_id="dec-1", endpoint="responses"))
            assert await ledger.flush()
            (call,) = reader.requests()
            assert (call.status, call.billed_usd, call.candidate) == (None, 0.25, "small")
            ledger.post(settled("r1", response_id="resp_1"), Feedback("dec-1", 5.0, "key_1", 0.5))
            assert await ledger.flush()
            assert (ledger.queue_depth, ledger.lost_rows, ledger.spooled_rows) == (0, 0, 0)

    reader = Reader(tmp_path)
    asyncio.run(work())
    (call,) = reader.requests()
    assert (call.status, call.billed_usd, call.usage.cached_tokens) == ("ok", 0.01, 10)
    given = reader.response("resp_1")
    assert given is not None
    assert given.candidate == "small"
    assert [row.quality for row in reader.feedback()] == [0.5]
    assert not list((tmp_path / "journal").iterdir())


def test_rung_the_disk_is_at_work_before_the_loop_turns(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            (path,) = (tmp_path / "journal").glob("*.log")
            tick = threading.Event()
            durable = ledger.hand_in(intent("r1"))
            ledger.ring()
            for _ in range(10_000):
                if b"r1" in path.read_bytes():
                    break
                tick.wait(0.001)
            assert b"r1" in path.read_bytes()
            assert not durable.done()
            assert await durable
            size = path.stat().st_size
            ledger.ring()  # of nothing: nothing is written
            assert await ledger.flush()
            assert path.stat().st_size == size

    asyncio.run(work())


@pytest.mark.parametrize(("gather_s", "together"), [(3600.0, True), (0.0, False)])
def test_what_keeps_coming_goes_in_one_group_for_a_while(tmp_path, monkeypatch, gather_s, together):
    monkeypatch.setattr("tenbin.store.writer.GATHER_S", gather_s)

    async def work():
        async with running(tmp_path) as ledger:
            first, _ = ledger.hand_in(intent("r1")), ledger.hand_in(intent("r2"))
            await asyncio.sleep(0)
            last = ledger.hand_in(intent("r3"))
            assert await first
            assert last.done() == together
            assert await last

    asyncio.run(work())


def test_what_nobody_waits_for_makes_no_group_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.ledger.LINGER_S", 3600.0)

    async def work():
        async with running(tmp_path) as ledger:
            durable = ledger.hand_in(intent("r1"))
            ledger.ring()
            ledger.post(settled("r1"))  # the disk is at work on the intent
            assert await durable
            assert ledger.queue_depth == 1
            assert await ledger.record(intent("r2"))
            assert ledger.queue_depth == 0

    asyncio.run(work())


def test_rows_beyond_one_group_go_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.writer.GROUP_BYTES", 1)

    async def work():
        async with running(tmp_path) as ledger:
            answers = [ledger.hand_in(intent(f"r{i}")) for i in range(20)]
            assert await asyncio.gather(*answers) == [True] * 20

    asyncio.run(work())
    assert len(list(Reader(tmp_path).requests())) == 20


def test_many_rows_at_once_arrive_once_each(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await asyncio.gather(*(one(ledger, f"r{i}") for i in range(2000)))

    async def one(ledger, name):
        assert await ledger.record(intent(name))
        ledger.post(settled(name))

    asyncio.run(work())
    calls = list(Reader(tmp_path).requests())
    assert len({call.request_id for call in calls}) == len(calls) == 2000
    assert {call.status for call in calls} == {"ok"}


def test_rows_come_in_by_themselves_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.applier.MEND_EVERY_S", 3600.0)  # what else would wake the thread
    monkeypatch.setattr("tenbin.store.applier.APPLY_EVERY_S", 0.01)

    async def work():
        async with running(tmp_path) as ledger:
            for i in range(2):
                await ledger.record(intent(f"r{i}"))
                await until(lambda: not ledger.spooled_rows)

    asyncio.run(work())


def test_a_row_that_no_table_can_hold_is_counted_as_lost(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            assert await ledger.record(intent("r"), settled("r", usage=Usage(2**63, 1)))
            assert await ledger.flush()
            assert (ledger.lost_rows, ledger.spooled_rows) == (1, 0)
            holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            assert await ledger.record(*(intent(f"r{i}") for i in range(3)))
            assert ledger.spooled_rows == 3
            holder.close()

    asyncio.run(work())


def test_who_leaves_keeps_no_answer_from_those_who_came_with_it(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            leaving, staying = (asyncio.create_task(ledger.record(intent(name))) for name in ("leaves", "stays"))
            await asyncio.sleep(0)  # both are handed in, and go in one group
            leaving.cancel()
            assert await staying

    asyncio.run(work())
    assert {call.request_id for call in Reader(tmp_path).requests()} == {"leaves", "stays"}


def test_who_flushes_while_the_ledger_closes_is_answered(tmp_path):
    async def work():
        ledger = Ledger(tmp_path, "w0")
        ledger.start()
        await ledger.record(intent("r"))
        flushing, closing = asyncio.create_task(ledger.flush()), asyncio.create_task(ledger.close())
        await asyncio.sleep(0)
        assert await asyncio.wait_for(flushing, 5.0)
        await closing
        late: list[bool] = []
        ledger._applier.ask(late.append)  # whose thread has ended
        assert late == [True]

    asyncio.run(work())


def test_a_journal_that_ends_begins_no_segment_that_nobody_would_close(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            journal, loop = ledger._journal, asyncio.get_running_loop()

            def turn():
                assert journal._idle.done()  # all is written, and the pen about to be put away
                journal.turn_now()  # as the thread says that has applied all of it
                journal.ring(at_once=True)

            journal.written = lambda: loop.call_soon(turn)
            ledger.post(settled("r1"))
            await journal.stop()
            assert len(journal.segments) == 1
            assert "tenbin-segment" not in {thread.name for thread in threading.enumerate()}

    asyncio.run(work())


def test_a_ledger_that_is_closed_keeps_no_file_open(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r"), settled("r"))
            assert await ledger.flush()
            assert len(open_files(tmp_path)) >= 4  # the journal, once to write and once to read, its lock, the ledger
        assert open_files(tmp_path) == []

    asyncio.run(work())


def test_what_is_left_at_closing_is_unknown_at_its_reserve(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r1"))

    asyncio.run(work())
    (call,) = Reader(tmp_path).requests()
    assert (call.status, call.billed_usd) == ("unknown", 0.25)


def test_costs_that_nobody_knows_are_billed_by_how_the_call_ended(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            for status in ("ok", "failed", "cancelled", "unknown"):
                await ledger.record(intent(status), settled(status, status=status, cost_usd=None, usage=None))

    asyncio.run(work())
    billed = {call.status: call.billed_usd for call in Reader(tmp_path).requests()}
    assert billed == {"ok": 0.25, "failed": 0.0, "cancelled": 0.25, "unknown": 0.25}


def test_folder_and_files_are_for_their_owner_alone(tmp_path):
    folder = tmp_path / "deep" / "store"

    async def work():
        async with running(folder) as ledger:
            await ledger.record(intent())
            await ledger.flush()
            return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}

    modes = asyncio.run(work())
    assert {modes.pop("store"), modes.pop("journal")} == {0o700}
    assert len(modes) >= 5
    assert set(modes.values()) == {0o600}


def test_a_store_of_a_newer_tenbin_is_refused_by_name(tmp_path):
    link = sqlite3.connect(tmp_path / "ledger.sqlite")
    link.execute("PRAGMA user_version = 99")
    link.close()

    async def work():
        Ledger(tmp_path, "w0").start()

    with pytest.raises(StoreError, match="version 99"):
        asyncio.run(work())
    with pytest.raises(StoreError, match="version 99"):
        Reader(tmp_path).decision("d")


def test_a_folder_that_cannot_be_is_said_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")

    async def work():
        Ledger(tmp_path / "file" / "store", "w0").start()

    with pytest.raises(StoreError, match="cannot be made"):
        asyncio.run(work())


def test_names_that_would_leave_the_folder_are_refused(tmp_path):
    for worker in ("../w", "a/b", "", "w~1", "w.1"):
        with pytest.raises(StoreError, match="cannot name a worker"):
            Ledger(tmp_path, worker)


def test_two_ledgers_in_one_folder_write_side_by_side(tmp_path):
    async def work():
        async with running(tmp_path, "w0") as one, running(tmp_path, "w0") as two:
            for i in range(50):
                await asyncio.gather(one.record(intent(f"a{i}")), two.record(intent(f"b{i}")))
            assert await one.flush()
            assert await two.flush()
            # Neither takes the other for dead.
            assert {call.status for call in reader.requests()} == {None}

    reader = Reader(tmp_path)
    asyncio.run(work())
    assert len(list(reader.requests())) == 100


def test_what_is_written_makes_room_for_what_comes(tmp_path):
    async def work():
        async with running(tmp_path, queue_bytes=10_000) as ledger:
            assert all([await ledger.record(decided(f"d{i}", document=b"x" * 6_000)) for i in range(4)])
            assert ledger.lost_rows == 0

    asyncio.run(work())


def test_a_segment_is_removed_once_it_is_applied(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.writer.SEGMENT_BYTES", 50_000)

    async def work():
        async with running(tmp_path) as ledger:
            for i in range(20):
                await ledger.record(decided(f"d{i}", document=b"x" * 10_000))
            assert await ledger.flush()
            with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as link:
                assert link.execute("SELECT count(*) FROM journals").fetchone() == (0,)  # nothing is in the newest yet
            return [path.stat().st_size for path in (tmp_path / "journal").glob("*.log")]

    (size,) = asyncio.run(work())
    assert size < 100_000
    assert not list((tmp_path / "journal").iterdir())
    assert all(Reader(tmp_path).decision(f"d{i}") for i in range(20))


def test_a_young_segment_is_written_on_after_it_is_applied(tmp_path):
    async def work():
        async with running(tmp_path) as ledger:
            for _ in range(3):
                await ledger.record(intent())
                assert await ledger.flush()
                (path,) = (tmp_path / "journal").glob("*.log")
                assert path.name.endswith(".00000001.log")

    asyncio.run(work())


def test_an_old_segment_is_turned_over_so_that_texts_do_not_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.writer.SEGMENT_AGE_S", 0.0)

    async def work():
        async with running(tmp_path) as ledger:
            await ledger.record(intent("r1", prompt=b"a planted prompt"))
            await ledger.flush()
            await until(lambda: not is_there())  # though nothing follows

    def is_there():
        for path in (tmp_path / "journal").glob("*.log"):
            with contextlib.suppress(FileNotFoundError):
                if b"planted" in path.read_bytes():
                    return True
        return False

    asyncio.run(work())
