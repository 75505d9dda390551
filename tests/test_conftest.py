"""The promises of conftest.py: no test reaches the internet, the gate lets none be skipped, each worker reads all."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import HERE, begun_elsewhere, pytest_collection_modifyitems

SKIPPED = """
import pytest

def test_skipped():
    pytest.skip("no browser here")

@pytest.mark.skip(reason="not today")
def test_marked():
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    assert False

def test_plain():
    pass
"""


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("example.invalid", 80)])
def test_the_internet_is_refused(address: tuple[str, int]) -> None:
    with pytest.raises(PermissionError, match="tests use loopback only"):
        socket.create_connection(address)


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        assert caller.getpeername() == server.getsockname()


@pytest.mark.parametrize(
    ("flags", "code", "closing"),
    [([], 0, "1 passed, 3 skipped, 1 xfailed"), (["--no-skips"], 1, "1 failed, 1 passed, 1 xfailed, 2 errors")],
)
def test_a_skip_fails_only_where_it_is_forbidden(tmp_path: Path, flags: list[str], code: int, closing: str) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_some.py").write_text(SKIPPED, encoding="utf-8")
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.importorskip('no_such')\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts =\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", *flags]
    run = subprocess.run(
        command, cwd=tmp_path, env={"PATH": "", "PYTEST_ADDOPTS": ""}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, closing in run.stdout) == (code, True), run.stdout + run.stderr


def test_workers_begin_at_different_places_and_read_every_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    read = []
    for worker in ("gw0", "gw1", "gw2"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        read.append("".join(begun_elsewhere(list("abcdefg"))))
    assert read == ["abcdefg", "cdefgab", "efgabcd"]
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT")
    assert begun_elsewhere([1, 2, 3]) == [1, 2, 3]


def test_the_store_comes_first_and_then_what_stands_in_the_folder_of_all() -> None:
    wanted = [HERE / "store" / "test_b.py", HERE / "test_z.py", HERE / "cli" / "test_a.py", HERE / "cli" / "test_c.py"]
    items = [SimpleNamespace(path=path) for path in reversed(wanted)]
    pytest_collection_modifyitems(items)  # type: ignore[arg-type]
    assert [item.path for item in items] == wanted
