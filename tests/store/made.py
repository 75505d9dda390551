"""Rows as the gateway writes them."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tenbin.store.ids import new_id
from tenbin.store.keys import KeyRecord
from tenbin.store.ledger import Ledger
from tenbin.store.records import Decided, Intent, Settled
from tenbin.types import Usage

TICK_S = 0.01


def decided(decision_id="dec-1", **given):
    return Decided(
        **{
            "decision_id": decision_id,
            "at": time.time(),
            "key_id": "key_1",
            "profile": "auto",
            "model": "small",
            "document": b'{"model":"small"}',
        }
        | given
    )


def intent(request_id=None, **given):
    return Intent(
        **{
            "request_id": request_id or new_id("req"),
            "call_no": 0,
            "at": time.time(),
            "worker": "w0",
            "key_id": "key_1",
            "profile": "auto",
            "endpoint": "chat",
            "asked_model": "tenbin/auto",
            "candidate": "small",
            "reserve_usd": 0.25,
        }
        | given
    )


def settled(request_id, **given):
    return Settled(
        **{
            "request_id": request_id,
            "call_no": 0,
            "at": time.time(),
            "status": "ok",
            "http_status": 200,
            "usage": Usage(100, 50, cached_tokens=10),
            "cost_usd": 0.01,
        }
        | given
    )


def key(key_id="key_1", **given):
    return KeyRecord(
        **{
            "key_id": key_id,
            "name": key_id,
            "profiles": None,
            "models": None,
            "day_usd": None,
            "month_usd": None,
            "requests_per_minute": None,
            "max_concurrency": None,
            "created_at": 0.0,
        }
        | given
    )


@contextlib.asynccontextmanager
async def running(folder: Path, worker="w0", **given):
    """A ledger that is started and closed again."""
    ledger = Ledger(folder, worker, **given)
    ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


@contextlib.contextmanager
def no_new_threads():
    """No stack is as large as the whole address space, so that no thread can be started."""
    usual = threading.stack_size(1 << 47)
    try:
        yield
    finally:
        threading.stack_size(usual)


async def until(is_true: Callable[[], bool], seconds=20.0):
    """Wait for something that another thread or process brings about.

    The seconds are those in which this process ran: it does not come late because the machine stood still.
    """
    for _ in range(round(seconds / TICK_S)):
        if is_true():
            return
        await asyncio.sleep(TICK_S)
    raise AssertionError("it did not come about")


@contextlib.contextmanager
def at_most(size):
    """No file grows beyond so many bytes."""
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def open_files(folder: Path) -> list[str]:
    """What this process holds open in a folder, whether it has been deleted or not."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return [path for path in found if path.startswith(str(folder))]


def fork(work: Callable[[], None]) -> int:
    """Do work in a child of its own, to be killed or waited for: its process id.

    Not beside a gateway that runs in this process: the child would inherit what its threads have locked.
    """
    served = [thread.name for thread in threading.enumerate() if thread.name in {"tenbin-logs", "fake-upstream"}]
    assert not served, f"let tests/store run before the others, as tests/conftest.py does: {served} are running here"
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    os._exit(code)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
