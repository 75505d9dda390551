"""The compiled library is used where it was made of the sources that stand beside it, and nowhere else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hatch_build import compile_kernel
from tenbin.compiled.library import FOLDER, SOURCES, library_fault


def test_only_a_library_of_these_sources_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path / os.fsdecode("déjà v".encode() + b"\xfc")  # of which a part is no text
    folder.mkdir()
    for source in FOLDER.glob("*.c"):
        shutil.copy(source, folder)
    assert library_fault(folder) == "absent"
    (folder / "_kernel.so").write_bytes(b"\x7fELF, but no library")
    assert library_fault(folder) == "foreign"
    monkeypatch.setenv("CC", "no-such-compiler -O0")
    assert compile_kernel(folder) == "no C compiler was found"
    monkeypatch.setenv("CC", "false")
    assert compile_kernel(folder) == "false failed: without a word"
    monkeypatch.delenv("CC")
    assert compile_kernel(folder) is None
    assert library_fault(folder) is None
    with (folder / "tally.c").open("a") as source:
        source.write("/* another version */\n")
    assert library_fault(folder) == "outdated"
    with (folder / "kernel.c").open("a") as source:
        source.write("no C at all;\n")
    said = str(compile_kernel(folder))
    assert r"déjà v\xfc" in said
    assert "error" in said
    assert {file.name for file in folder.iterdir()} == {"_kernel.so", *SOURCES}
    (folder / f"_kernel.{os.getpid()}.part").mkdir()  # what cannot be removed is no fault of its own
    assert "failed" in str(compile_kernel(folder))
    (folder / "pen.c").unlink()
    assert library_fault(folder) == "outdated"
