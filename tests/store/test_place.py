"""Places in a store: nobody alive shares one, and the next life of a worker finds its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenbin.errors import StoreError
from tenbin.store.place import Place


def placed(folder: Path, worker: int) -> Place:
    place = Place(folder, worker)
    place.take()
    return place


def test_who_comes_second_stands_beyond_the_first(tmp_path: Path) -> None:
    first = [placed(tmp_path, worker) for worker in range(2)]
    second = [placed(tmp_path, worker) for worker in range(2)]
    assert [place.number for place in (*first, *second)] == [0, 1, 2, 3]
    assert second[0].taken() == {0, 1, 2, 3}
    first[1].leave()
    assert second[0].taken() == {0, 2, 3}
    again = placed(tmp_path, 1)
    assert again.number == 1
    for place in (first[0], *second, again):
        place.leave()


def test_those_who_live_find_each_other_again_in_a_store_that_was_deleted(tmp_path: Path) -> None:
    places = [placed(tmp_path / "store", worker) for worker in range(2)]
    shutil.rmtree(tmp_path / "store")
    for place in places:
        place.taken()
    assert [place.taken() for place in places] == [{0, 1}] * 2
    assert [place.number for place in places] == [0, 1]
    places.append(placed(tmp_path / "store", 0))
    assert places[2].number == 2
    places[1].leave()
    assert places[0].taken() == {0, 2}
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "store").write_text("")
    assert places[0].taken() == {0}
    (tmp_path / "store").unlink()
    assert places[2].taken() == {2}
    assert places[0].taken() == {0, 2}
    for place in places:
        place.leave()


def test_without_a_disk_a_worker_keeps_its_number(tmp_path: Path) -> None:
    (tmp_path / "places").write_text("")
    place = Place(tmp_path, 3)
    with pytest.raises(StoreError):
        place.take()
    assert place.number == 3
