"""Limits of requests across processes: slots that die with who holds them, one bucket for all."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenbin.gateway.limits import RateLimit, Slots
from tenbin.gateway.shared_limits import Limits

OTHER = """
import sys, time
from pathlib import Path
from tenbin.gateway.limits import RateLimit
from tenbin.gateway.shared_limits import Limits, _has_locked, _unlock
limits = Limits(Path(sys.argv[1]), is_shared=True)
slots, rate = limits.slots("key a", 3), limits.rate("key_a", 4)
for line in sys.stdin:
    if line == "give\\n":
        slots.give()
        print(flush=True)
    elif line == "hold\\n":
        fd = limits.bucket("key_a")
        print(_has_locked(fd, 0), flush=True)
        rate._read(fd)
    elif line == "let go\\n":
        RateLimit.take(rate, time.monotonic())
        rate._write(fd)
        _unlock(fd, 0)
        print(True, flush=True)
    else:
        print(slots.take() if line == "take\\n" else rate.take(time.monotonic()) == 0.0, flush=True)
"""


class Other:
    """Another worker, as a process; `asks("take")`, "give", "rate", "hold" or "let go"."""

    def __init__(self, store: Path) -> None:
        command = [sys.executable, "-c", OTHER, str(store)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def asks(self, what: str) -> bool:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "True\n"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    made = Other(tmp_path)
    with made.process:
        yield made
        made.process.kill()


@pytest.fixture
def limits(tmp_path: Path) -> Iterator[Limits]:
    made = Limits(tmp_path, is_shared=True)
    yield made
    made.close()


def test_all_processes_together_take_what_there_is(limits: Limits, other: Other) -> None:
    slots, others = limits.slots("key a", 3), limits.slots("key b", 1)
    assert other.asks("take")
    assert slots.take()
    assert not slots.is_full
    assert other.asks("take")
    assert slots.is_full
    assert not slots.take()
    assert not other.asks("take")
    assert others.take()  # of another name
    slots.give()
    assert other.asks("take")
    other.asks("give")
    assert slots.take()
    slots.limit = None
    assert slots.take()
    assert slots.taken == 2
    slots.limit = 3
    slots.give()
    assert not other.asks("take")  # that was the one beyond the limit
    assert not slots.take()
    other.process.kill()
    other.process.wait()
    assert slots.take()
    assert slots.take()
    assert not slots.take()


def test_all_processes_together_send_so_many_a_minute(limits: Limits, other: Other) -> None:
    rate = limits.rate("key_a", 4)
    assert [other.asks("rate") for _ in range(2)] == [True, True]
    assert [rate.take(time.monotonic()) == 0.0 for _ in range(3)] == [True, True, False]
    assert not other.asks("rate")
    assert 0.0 < rate.take(time.monotonic()) <= 15.0
    assert limits.rate("key_b", 4).take(time.monotonic()) == 0.0


def test_who_loses_its_processor_with_the_bucket_in_hand_is_waited_for(
    limits: Limits, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate, taken = limits.rate("key_a", 4), list[bool]()
    monkeypatch.setattr("tenbin.gateway.shared_limits.PATIENCE_S", 60.0)
    assert other.asks("hold")
    worker = threading.Thread(target=lambda: taken.extend(rate.take(time.monotonic()) == 0.0 for _ in range(4)))
    worker.start()
    worker.join(0.02)
    assert taken == []
    assert other.asks("let go")
    worker.join()
    assert taken == [True, True, True, False]
    assert other.asks("hold")
    monkeypatch.setattr("tenbin.gateway.shared_limits.PATIENCE_S", 0.0)
    assert rate.take(time.monotonic()) > 0.0  # nobody waits for one that hangs
    assert other.asks("let go")


def test_alone_and_where_the_disk_refuses_a_limit_is_a_workers_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    alone = Limits(tmp_path, is_shared=False)
    assert (type(alone.slots("key a", 1)), type(alone.rate("key_a", 1))) == (Slots, RateLimit)
    assert not list(tmp_path.iterdir())
    (tmp_path / "limits").touch()
    limits = Limits(tmp_path, is_shared=True)
    slots, rate = limits.slots("key a", 1), limits.rate("key_a", 1)
    assert [slots.take(), slots.take()] == [True, False]
    assert [rate.take(100.0), rate.take(100.0)] == [0.0, 60.0]
    assert "holds for this worker alone" in caplog.text


def test_few_files_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenbin.gateway.shared_limits.MOST_OPEN", 2)
    limits = Limits(tmp_path, is_shared=True)
    rates = [limits.rate(f"key_{i}", 1) for i in range(4)]
    assert [rate.take(time.monotonic()) == 0.0 for rate in rates * 2] == [True] * 4 + [False] * 4
    assert len(limits._buckets) == 2
    limits.close()
