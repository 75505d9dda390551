"""Who is alive: a lock has one holder and a name, and whoever mends the dead never takes one from the living."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tenbin.errors import StoreError
from tenbin.store.folder import StoreFolder
from tenbin.store.presence import Presence, lock_of, new_writer, writers
from tests.store.made import open_files


def test_every_life_of_a_worker_has_a_name_of_its_own() -> None:
    first, second = new_writer("w" * 40), new_writer("w" * 40)
    assert first.partition("~")[0] == second.partition("~")[0] == "w" * 40
    assert first != second
    with pytest.raises(StoreError, match="cannot name a worker"):
        new_writer("w" * 41)


def test_a_lock_of_another_is_had_only_where_there_is_one_that_nobody_holds(tmp_path: Path) -> None:
    lock = tmp_path / "w~1.lock"
    assert Presence.take(lock, is_own=False) is None
    assert not lock.exists()
    own = Presence.take(lock, is_own=True)
    assert own is not None
    assert Presence.take(lock, is_own=False) is None
    own.leave(settled=False)
    other = Presence.take(lock, is_own=False)
    assert other is not None
    other.leave(settled=True)
    assert not lock.exists()
    gone = Presence.take(lock, is_own=True)
    assert gone is not None
    lock.unlink()  # somebody has taken the whole folder away
    gone.leave(settled=True)
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("settled", [True, False])
def test_ones_own_lock_is_waited_for_and_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """Whoever looked whether we live lets go between our opening the file and our locking it, with it or without."""
    lock, asked = tmp_path / "w~1.lock", []
    Presence.take(lock, is_own=True).leave(settled=False)
    looking = Presence.take(lock, is_own=False)
    assert looking is not None
    flock = fcntl.flock

    def flock_later(fd: int, operation: int) -> None:
        asked.append(fd)
        if len(asked) == 3:
            looking.leave(settled=settled)
        flock(fd, operation)

    monkeypatch.setattr("fcntl.flock", flock_later)
    own = Presence.take(lock, is_own=True)
    assert own is not None
    assert len(asked) == (4 if settled else 3)
    assert os.path.samestat(os.fstat(own.fd), lock.stat())
    assert Presence.take(lock, is_own=False) is None
    own.leave(settled=True)
    assert open_files(tmp_path) == []


def test_writers_are_those_who_left_a_lock_or_a_journal_each_once(tmp_path: Path) -> None:
    store = StoreFolder(tmp_path)
    store.create()
    for name in ("w1~b.00000001.log", "w1~b.00000002.log", "w0~a.lock", "w2~c.00000001.damaged", "notes.log"):
        (store.journals / name).touch()
    assert writers(store) == ["w0~a", "w1~b"]
    assert lock_of(store, "w0~a") == store.journals / "w0~a.lock"
