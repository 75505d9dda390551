"""A store that was deleted under a running gateway comes back for its owner alone, whoever needs it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tenbin.gateway.shared_limits import Limits
from tenbin.store.folder import StoreFolder
from tenbin.store.marks import Marks
from tenbin.store.place import Place


def take_a_place(store: Path) -> None:
    place = Place(store, 0)
    place.take()
    place.leave()


def set_a_mark(store: Path) -> None:
    Marks(store).put("main", {"since": 1.0})


def ask_for_a_limit(store: Path) -> None:
    limits = Limits(store, is_shared=True)
    assert limits.bucket("key") is not None
    limits.close()


def write_a_journal(store: Path) -> None:
    StoreFolder(store).make()


@pytest.mark.parametrize("need", [take_a_place, set_a_mark, ask_for_a_limit, write_a_journal])
def test_whoever_makes_the_store_makes_it_private(tmp_path: Path, need: Callable[[Path], None]) -> None:
    store = tmp_path / "store"
    need(store)
    assert {path.stat().st_mode & 0o077 for path in (store, *store.rglob("*"))} == {0}
