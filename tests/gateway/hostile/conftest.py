from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.hostile.guarded import Guarded, guarded


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as site:
        yield site


@pytest.fixture
def site(shared: Guarded) -> Guarded:
    """The shared gateway, as if nothing had happened before."""
    shared.reset()
    return shared
