"""Files of the store that come and go while several processes make and remove them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tenbin.store.folder import create_private
from tenbin.store.keys import create_key


def test_a_file_that_another_removes_in_this_moment_is_no_file_without_rights(tmp_path: Path) -> None:
    path, is_over = tmp_path / "w0~0.lock", threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            path.touch()
            path.unlink(missing_ok=True)

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for _ in range(20_000):
            create_private(path)
    finally:
        is_over.set()
        other.join()


def test_what_root_makes_belongs_to_whom_the_folder_around_it_does(tmp_path: Path) -> None:
    """A key made by `sudo tenbin keys create` kept the gateway from its store."""
    owner = 12_345 if os.geteuid() == 0 else os.geteuid()
    os.chown(tmp_path, owner, -1)
    create_key(tmp_path / "deep" / "store", "alice")
    made = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
    assert {path.name for path in made} == {"deep", "store", "journal", "keys.sqlite"}
    assert {path.stat().st_uid for path in made} == {owner}


def test_a_link_that_leads_nowhere_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    os.symlink(tmp_path / "nowhere" / "else", path)
    with pytest.raises(PermissionError):
        create_private(path)
