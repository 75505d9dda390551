"""A pilot's folder: whole or not at all, for its owner alone, and an earlier one is never written over."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from tenbin.errors import DataError, UsageError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.plan.new import NewPilot, plan_new
from tenbin.pilot.plan.planner import Planned
from tenbin.pilot.plan.write import create, read_stages
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tests.pilot.plan.made import made_world, write_config

Made = tuple[PilotSettings, list[PilotPrompt], Planned]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """What a pilot's folder is made of."""
    (tmp_path / "prompts.txt").write_text("\n".join(prompt.prompt for prompt in made_world(60).prompts))
    folder = PilotFolder(tmp_path / "first")
    found = plan_new(folder, NewPilot(tmp_path / "prompts.txt", write_config(tmp_path), 1.0), {}, lambda *_: None)
    return found.settings, folder.read_prompts(), Planned(found.stage, tuple(folder.read_plan()))


def no_space(_fd: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_is_made_where_none_was_and_is_its_owners_alone(tmp_path: Path, made: Made) -> None:
    folder = PilotFolder(tmp_path / "new" / "place" / "p")
    create(folder, *made)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    first = PilotFolder(tmp_path / "first").path
    assert {p.name: p.read_bytes() for p in folder.path.iterdir()} == {p.name: p.read_bytes() for p in first.iterdir()}
    assert read_stages(folder) == [made[2].stage]


def test_one_that_somebody_made_meanwhile_stays_as_it_is(tmp_path: Path, made: Made) -> None:
    folder = PilotFolder(tmp_path / "first")
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    with pytest.raises(UsageError, match=r"first: cannot be made \(Directory not empty\); name another place"):
        create(folder, *made)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


def test_where_no_folder_can_be_or_the_disk_is_full_none_is_left(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"prompts\.txt/p: cannot be made \(.*\); name another place with --root"):
        create(PilotFolder(tmp_path / "prompts.txt" / "p"), *made)
    monkeypatch.setattr(os, "fsync", no_space)
    there = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=r"/p: cannot be written \(No space left on device\); name another place"):
        create(PilotFolder(tmp_path / "p"), *made)
    assert sorted(tmp_path.iterdir()) == there


def test_a_pilot_without_stages_has_none_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = PilotFolder(tmp_path)
    assert read_stages(folder) == []
    for content in (b"{", b"[1]"):
        folder.stages.write_bytes(content)
        with pytest.raises(DataError, match=r"stages\.json"):
            read_stages(folder)
