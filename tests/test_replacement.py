"""A replacement stands in its place when it is whole, and nothing of it stays when it is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tenbin.replacement import replacement


def test_a_whole_one_takes_the_place_and_nothing_is_seen_before(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    with replacement(place) as beside:
        beside.write_text("new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert list(tmp_path.iterdir()) == [place]


def fail_half_way(place: Path, folder: bool) -> None:
    with replacement(place) as beside:
        if folder:
            beside.mkdir()
        (beside / "inside" if folder else beside).write_text("half")
        raise KeyboardInterrupt


def test_one_that_fails_leaves_what_stood_there_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    for path, folder in ((place, False), (tmp_path / "folder", True)):
        with pytest.raises(KeyboardInterrupt):
            fail_half_way(path, folder)
    assert list(tmp_path.iterdir()) == [place]
    assert place.read_text() == "old"


def test_two_threads_have_a_place_each(tmp_path: Path) -> None:
    both = Barrier(2)

    def write(text: str) -> None:
        with replacement(tmp_path / "file") as beside:
            beside.write_text(text)
            both.wait()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, ("one", "other")))
    assert (tmp_path / "file").read_text() in {"one", "other"}
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_names_the_file_and_not_the_place_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as caught, replacement(tmp_path / "folder") as beside:
        beside.write_text("a file takes no folder's place")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path / "folder"), None)
    with pytest.raises(FileNotFoundError) as missing, replacement(tmp_path / "no" / "file") as beside:
        beside.write_text("nowhere")
    assert missing.value.filename == str(tmp_path / "no" / "file")
    with pytest.raises(FileNotFoundError) as other, replacement(tmp_path / "file") as beside:
        (tmp_path / "another").read_text()
    assert other.value.filename == str(tmp_path / "another")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_clearing_away_does_not_hide_what_failed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NotADirectoryError) as caught, replacement(tmp_path / "file" / "inside") as beside:
        beside.write_text("nowhere")
    assert caught.value.filename == str(tmp_path / "file" / "inside")
    with pytest.raises(IsADirectoryError) as root, replacement(Path("/")):
        pytest.fail("nothing stands beside the root")
    assert root.value.filename == "/"


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    place = tmp_path / ("あ" * 83 + ".jsonl")
    with replacement(place) as beside:
        beside.write_text("new")
    assert place.read_text() == "new"
