"""Two checkouts beside each other: only where each runs its own code, and ratios are those within a round."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.beside import FIGURES, commit_of, lines, runs_its_own
from bench.rounds import Cell, Table
from bench.served import ROOT, Served
from bench.targets import Target


def test_a_checkout_without_its_own_environment_is_refused(tmp_path: Path) -> None:
    assert not runs_its_own(tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")  # runs what is installed there: the code of this checkout
    assert not runs_its_own(tmp_path)
    assert runs_its_own(ROOT)


def test_a_checkout_with_changes_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    told = ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "one", "--allow-empty"]
    for words in (["init", "-q"], told):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    clean = commit_of(tmp_path)
    (tmp_path / "more").touch()
    assert commit_of(tmp_path) == f"{clean}+"


def test_ratios_are_taken_within_a_round(tmp_path: Path) -> None:
    served = Served("tenbin", 1, subprocess.Popen(["true"]), 0.1, tmp_path / "log")
    served.process.wait()
    cell, table = Cell(16, "whole"), Table()
    for here, there in ((1.0, 2.0), (30.0, 60.0), (4.0, 8.0)):
        table.add(cell, Target("here", served, "m"), dict.fromkeys(FIGURES, here))
        table.add(cell, Target("there", served, "m"), dict.fromkeys(FIGURES, there))
    row = list(lines({"pinned": table}, [cell]))[-1]
    assert row.startswith("| pinned | whole x16 | 0.500 [0.500, 0.500] |")
    assert row.endswith("| 4.000, 8.000 |")
