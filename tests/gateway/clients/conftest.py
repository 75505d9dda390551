"""One gateway with keys for all clients: `cheap` and `good` speak OpenAI's dialect, `claude` Anthropic's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tenbin.store.keys import create_key
from tenbin.testing import FakeUpstream
from tests.gateway.running import Running, Upstreams

CANDIDATES = {
    "cheap": 'model = "gpt-5-mini"',
    "good": 'model = "gpt-5"\nresponses = true',
    "claude": 'model = "claude-sonnet-4-5"',
    "vectors": 'model = "text-embedding-3-small"\nembeddings = true',
}


@dataclass(frozen=True)
class Place:
    """Where the clients are pointed at; `origin` without a path as Anthropic's clients want it."""

    gateway: Running
    upstreams: Upstreams
    key: str

    @property
    def base_url(self) -> str:
        return self.gateway.base_url

    @property
    def origin(self) -> str:
        return self.gateway.base_url.removesuffix("/v1")

    def __getitem__(self, candidate: str) -> FakeUpstream:
        return self.upstreams[candidate]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("clients")
    secret, _ = create_key(folder / "store", "clients")
    with (
        Upstreams("cheap", "good", "vectors", claude="anthropic") as ups,
        Running(folder, ups, gateway="", candidate=CANDIDATES) as gateway,
    ):
        yield Place(gateway, ups, secret)


@pytest.fixture
def place(served: Place) -> Place:
    """The gateway as new: nothing scripted, nothing remembered of failures and conversations."""
    for fake in served.upstreams.fakes.values():
        fake.script = ()
        fake.clear()
    services = served.gateway.gateway.services
    services.breakers.__init__()  # type: ignore[misc]
    services.planner.sessions.__init__()  # type: ignore[misc]
    return served
