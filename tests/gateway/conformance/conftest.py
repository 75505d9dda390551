"""One gateway for all conformance tests, reset for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.conformance.served import Site, site_in


@pytest.fixture(scope="session")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("conformance")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Site:
    running_site.reset()
    return running_site
