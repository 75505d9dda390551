from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.running import Upstreams, fitted


@pytest.fixture(scope="session")
def router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The router of `cheap` and `good`, fitted once."""
    folder: Path = tmp_path_factory.mktemp("fitted") / "router"
    fitted(["cheap", "good"]).save(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, router: Path) -> Path:
    """A folder of its own with that router in it."""
    shutil.copytree(router, tmp_path / "router")
    return tmp_path


@pytest.fixture
def ups() -> Iterator[Upstreams]:
    """Two candidates: `cheap` for easy prompts, `good` for hard ones."""
    with Upstreams("cheap", "good") as upstreams:
        yield upstreams
