from __future__ import annotations

import signal
import socket
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


@pytest.mark.parametrize(("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")])
def test_who_stops_a_download_is_told_that_it_goes_on(
    number: signal.Signals, code: int, name: str, tmp_path: Path, spawn: Callable[..., subprocess.Popen[bytes]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = spawn("data", "fetch", "sprout", "--out", tmp_path / "d", https_proxy=proxy, no_proxy="", NO_PROXY="")
        with silent.accept()[0]:
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
    sentence = f"tenbin: stopped by {name}; run it again, it goes on where it stopped\n"
    assert (process.returncode, said.decode()) == (code, sentence)
