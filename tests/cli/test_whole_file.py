from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.cli.whole_file import spare, whole_file
from tenbin.errors import UsageError


def test_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with whole_file(path) as stream:
        stream.write("日本\n")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "日本\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old", encoding="utf-8")

    def fail() -> None:
        with whole_file(path) as stream:
            stream.write("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    with whole_file(link) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("place", ["missing/out.jsonl", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"), whole_file(tmp_path / place):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    read, link = tmp_path / "read.jsonl", tmp_path / "link.jsonl"
    read.write_text("mine", encoding="utf-8")
    link.symlink_to(read)
    for written in (read, link, tmp_path / "." / "read.jsonl"):
        with pytest.raises(UsageError, match="would be written over"):
            spare(written, None, read)
    spare(tmp_path / "other", read)
    spare(Path("-"), Path("-"))
    spare(Path("/dev/null"), Path("/dev/null"))
