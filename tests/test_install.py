"""The set-up that `make` does: one clear sentence where Python is missing, too old, or has no venv module."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "requirements" / "install.sh"
TOOLS = ("sh", "cat", "cksum", "dirname", "rm", "tr")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an empty lock, and a PATH folder beside it that holds the tools of the script but no Python."""
    locks = tmp_path / "project" / "requirements"
    locks.mkdir(parents=True)
    shutil.copy(SCRIPT, locks)
    (locks / "demo.lock").touch()
    for made_from in (
        "pyproject.toml",
        "hatch_build.py",
        *(f"src/tenbin/compiled/{name}.c" for name in ("kernel", "tally", "sight")),
    ):
        (locks.parent / made_from).parent.mkdir(parents=True, exist_ok=True)
        (locks.parent / made_from).touch()
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    return locks.parent


def add_tool(project: Path, name: str, body: str) -> None:
    tool = project.parent / "bin" / name
    tool.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    tool.chmod(0o755)


def install(project: Path, lock: str = "demo") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "requirements" / "install.sh", lock],
        env={"PATH": str(project.parent / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def sentence_of(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode != 0
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1, run.stderr
    return run.stderr


def test_no_python(project: Path) -> None:
    assert "no Python was found; install Python 3.11" in sentence_of(install(project))


def test_an_old_python(project: Path) -> None:
    add_tool(project, "python3", "exit 1")
    assert "python3 is older than Python 3.11" in sentence_of(install(project))


def test_no_venv_module(project: Path) -> None:
    add_tool(project, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    assert "python3 has no venv module with pip in it; install it" in sentence_of(install(project))


def test_a_foreign_venv_is_not_touched(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "precious").touch()
    assert "remove that folder" in sentence_of(install(project))
    assert (project / ".venv" / "precious").exists()


def test_an_unknown_lock(project: Path) -> None:
    assert "nothing.lock does not exist" in sentence_of(install(project, "nothing"))


# A stand-in for a whole Python: it makes a .venv whose own python logs how pip is called.
PYTHON = """
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *"pip install"*) echo "$*" >> calls ;;
esac
"""


def test_it_installs_once_until_the_lock_changes(project: Path) -> None:
    for tool in ("mkdir", "cp"):
        (project.parent / "bin" / tool).symlink_to(shutil.which(tool) or "")
    add_tool(project, "python3", PYTHON)
    assert install(project).returncode == 0
    calls = (project / "calls").read_text(encoding="utf-8").splitlines()
    assert "--require-hashes -r requirements/demo.lock" in calls[0]
    assert "--no-deps --no-build-isolation -e ." in calls[1]

    assert install(project).returncode == 0
    assert (project / "calls").read_text(encoding="utf-8").splitlines() == calls

    (project / "requirements" / "demo.lock").write_text("numpy\n", encoding="utf-8")
    assert install(project).returncode == 0
    assert len((project / "calls").read_text(encoding="utf-8").splitlines()) == 2 * len(calls)


def test_a_checkout_that_moved_gets_a_new_venv(project: Path) -> None:
    for tool in ("mkdir", "cp"):
        (project.parent / "bin" / tool).symlink_to(shutil.which(tool) or "")
    add_tool(project, "python3", PYTHON)
    assert install(project).returncode == 0
    moved = project.rename(project.parent / "elsewhere")
    (moved / ".venv" / "stale").touch()
    assert "made elsewhere" in install(moved).stderr
    assert not (moved / ".venv" / "stale").exists()
