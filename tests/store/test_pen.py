"""A pen: what it is handed comes down whole, what stands in the way is told, and nothing of it stays behind."""

import asyncio
import contextlib
import errno
import gc
import os
import sys
import threading
import weakref
from pathlib import Path

import pytest

from tenbin.compiled.library import open_library
from tenbin.store.pen import CompiledPen, PlainPen
from tests.store.made import at_most, until


def compiled(loop, told):
    library = open_library()
    assert library is not None, "these tests need a C compiler, like the rest of the suite"
    return CompiledPen(loop, told, library)


both = pytest.mark.parametrize("make", [compiled, PlainPen])


@contextlib.asynccontextmanager
async def held(make):
    """A pen, and the outcomes of what it was handed, one after the other."""
    outcomes = asyncio.Queue()
    pen = make(asyncio.get_running_loop(), outcomes.put_nowait)
    try:
        yield pen, outcomes
    finally:
        pen.close()


@both
def test_pieces_come_down_where_they_belong(make, tmp_path):
    pieces = [os.urandom(1 + 7_919 * i) for i in range(60)]

    async def work(fd):
        async with held(make) as (pen, outcomes):
            at = 0
            for i in range(len(pieces)):
                pen.write(fd, bytes(bytearray(pieces[i])), at)  # nobody else holds these bytes
                gc.collect(0)
                assert await outcomes.get() == (len(pieces[i]), 0)
                at += len(pieces[i])

    with (tmp_path / "file").open("wb") as file:
        asyncio.run(work(file.fileno()))
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


@both
def test_what_stands_in_the_way_is_told_with_how_much_came_down(make, tmp_path):
    async def work(fd):
        async with held(make) as (pen, outcomes):
            with at_most(5_000):
                pen.write(fd, bytes(4_000), 0)
                assert await outcomes.get() == (4_000, 0)
                pen.write(fd, bytes(4_000), 4_000)
                assert await outcomes.get() == (1_000, errno.EFBIG)
            pen.write(fd, bytes(4_000), 4_000)
            assert await outcomes.get() == (4_000, 0)
            pen.write(-1, b"nowhere", 0)
            assert await outcomes.get() == (0, errno.EBADF)

    with (tmp_path / "file").open("wb") as file:
        asyncio.run(work(file.fileno()))


@both
def test_a_pen_that_is_put_away_leaves_no_thread_and_no_file(make, tmp_path):
    async def work(fd):
        before = set(os.listdir("/proc/self/fd")), threads()
        for _ in range(3):
            async with held(make) as (pen, outcomes):
                pen.write(fd, b"x", 0)
                await outcomes.get()
                assert threads() - before[1]
            assert set(os.listdir("/proc/self/fd")) == before[0]
            await until(lambda: threads() <= before[1])  # Python's have ended a moment before they are gone

    with (tmp_path / "file").open("wb") as file:
        asyncio.run(work(file.fileno()))


def test_no_signal_is_for_the_compiled_pen(tmp_path):
    """Python's handlers are woken in time only where its own threads get them."""

    async def work():
        before = threads()
        async with held(compiled):
            (own,) = threads() - before
            status = Path(f"/proc/self/task/{own}/status").read_text()
            (blocked,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk"))
            assert blocked & 0x7FFFFFFF == 0x7FFFFFFF & ~(1 << 8 | 1 << 18)  # but SIGKILL and SIGSTOP

    asyncio.run(work())


def test_what_is_on_its_way_outlives_the_compiled_pen(tmp_path):
    """An interpreter that ends takes its objects away, and a busy disk goes on to read what it was handed."""
    loop, data = asyncio.new_event_loop(), os.urandom(100)
    free = sys.getrefcount(data)
    with (tmp_path / "file").open("wb") as file:
        pen = compiled(loop, lambda _: loop.stop())
        pen.write(file.fileno(), data, 0)
        loop.run_forever()
        assert sys.getrefcount(data) == free
        pen.write(file.fileno(), data, 0)
        gone = weakref.ref(pen)
        loop.close()
        del pen
        gc.collect()
        assert gone() is None
        assert sys.getrefcount(data) > free


@both
def test_after_the_loop_has_closed_nobody_is_told(make, tmp_path):
    loop = asyncio.new_event_loop()
    pen = make(loop, lambda _: None)
    with (tmp_path / "file").open("wb") as file:
        pen.write(file.fileno(), b"whole", 0)
        loop.close()
        end = threading.Event()
        while (tmp_path / "file").read_bytes() != b"whole":
            assert not end.wait(0.001)
        pen.close()


def threads() -> set[str]:
    """The threads of this process, known to Python or not."""
    return set(os.listdir("/proc/self/task"))
