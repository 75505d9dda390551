"""The compiled library is used where it was made of the sources that stand beside it, and nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hatch_build import compile_kernel
from tenbin.compiled.library import FOLDER, SOURCES, library_fault


def test_only_a_library_of_these_sources_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    for source in FOLDER.glob("*.c"):
        shutil.copy(source, tmp_path)
    assert library_fault(tmp_path) == "absent"
    (tmp_path / "_kernel.so").write_bytes(b"\x7fELF, but no library")
    assert library_fault(tmp_path) == "foreign"
    monkeypatch.setenv("CC", "no-such-compiler -O0")
    assert compile_kernel(tmp_path) == "no C compiler was found"
    monkeypatch.setenv("CC", "false")
    assert compile_kernel(tmp_path) == "false failed: without a word"
    monkeypatch.delenv("CC")
    assert compile_kernel(tmp_path) is None
    assert library_fault(tmp_path) is None
    with (tmp_path / "tally.c").open("a") as source:
        source.write("/* another version */\n")
    assert library_fault(tmp_path) == "outdated"
    with (tmp_path / "kernel.c").open("a") as source:
        source.write("no C at all;\n")
    assert "error" in str(compile_kernel(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} == {"_kernel.so", *SOURCES}
