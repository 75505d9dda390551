from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result


def test_an_unknown_set_is_refused(tmp_path: Path, tenbin: Callable[..., Result]) -> None:
    run = tenbin("data", "fetch", "sprot", "--out", tmp_path / "d")
    assert run.exit_code == 2
    assert 'invalid value for "SET"' in run.stderr
    assert '"sprout", "routerbench"' in run.stderr


@pytest.mark.parametrize("name", ["sprout", "routerbench"])
def test_without_internet_one_sentence_and_nothing_left(
    name: str, tmp_path: Path, spawn: Callable[..., subprocess.Popen[bytes]]
) -> None:
    # Port 1 of this machine answers nobody: the command sees what it sees without internet.
    nowhere = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"), "http://127.0.0.1:1")
    process = spawn("data", "fetch", name, "--out", tmp_path / "d", no_proxy="", NO_PROXY="", **nowhere)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 10, said
    assert said.startswith(b"tenbin: ")
    assert said.count(b"\n") == 1
    assert not list(tmp_path.rglob("*.parquet*"))
