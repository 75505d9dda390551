"""The gateway that all conformance tests share: two candidates of each dialect, an embedding model, raw bodies."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tenbin.gateway.breakers import Breakers
from tenbin.store.keys import create_key
from tenbin.testing import FakeUpstream
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.cases import PATHS, Case, Dialect
from tests.gateway.running import HARD, PATIENCE_S, PATIENT, Reply, Running, Upstreams

CANDIDATES: Mapping[Dialect, tuple[str, str]] = {"openai": ("cheap", "good"), "anthropic": ("haiku", "opus")}
PROFILES: Mapping[Dialect, str] = {"openai": "tenbin/auto", "anthropic": "tenbin/claude"}
HASTY: Mapping[Dialect, str] = {"openai": "tenbin/hasty", "anthropic": "tenbin/hasty-claude"}
FIRST_TOKEN_S = 0.8
DEADLINE_S = 1.0
VECTORS = "vectors"
Members = dict[str, bytes]


def raw(members: Mapping[str, bytes]) -> bytes:
    """A JSON object of members that are JSON already."""
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in members.items()) + b"}"


def members_of(body: bytes) -> Members:
    """The members of a JSON object, each as it was written."""
    return {name: bytes(value) for name, value in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


def at_provider(name: str) -> str:
    """What the provider calls this candidate."""
    return f"{name}-2026"


@dataclass(frozen=True, slots=True)
class Site:
    """The gateway and what stands behind it; `secret` is a key of it, which calls need not send."""

    gateway: Running
    ups: Upstreams
    vectors: FakeUpstream
    secret: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def reset(self) -> None:
        """No script, nothing received, every candidate healthy."""
        for fake in (*self.ups.fakes.values(), self.vectors):
            fake.script = None
            fake.clear()
        self.calm()

    def calm(self) -> None:
        """Forget failures: what is tested is one request, not the breaker."""
        self.gateway.gateway.services.breakers = Breakers()

    def disconnect(self, dialect: Dialect) -> None:
        """Let the next call to these candidates open a connection: one that was kept would be replaced unseen."""
        for name in CANDIDATES[dialect]:
            self.ups[name].close()
            self.ups[name].start()

    def text(self) -> bytes:
        """A prompt that was not asked before, as a JSON text."""
        return msgspec.json.encode(f"{HARD} {next(self.numbers)}")

    def members(self, case: Case, more: Mapping[str, bytes] | None = None) -> Members:
        """The body of a case with more members, which win."""
        model = CANDIDATES[case.upstream][1] if case.way == "pinned" else PROFILES[case.upstream]
        made: Members = {"model": msgspec.json.encode(model)}
        if case.endpoint == "responses":
            made["input"] = self.text()
        else:
            made["messages"] = b'[{"role": "user", "content": %s}]' % self.text()
        if case.endpoint == "messages":
            made["max_tokens"] = b"64"
        if case.is_stream:
            made["stream"] = b"true"
        return made | dict(more or {})

    def post(self, case: Case, members: Mapping[str, bytes], **headers: str) -> Reply:
        """Ask the gateway."""
        return self.gateway.post(case.path, raw(members), **headers)

    def direct(self, case: Case, members: Mapping[str, bytes], name: str) -> Reply:
        """Ask a candidate as if there were no gateway; the answer is numbered like the last one."""
        fake = self.ups[name]
        fake.received_count = max(fake.received_count - 1, 0)
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=PATIENCE_S)
        body = raw({**members, "model": msgspec.json.encode(at_provider(name))})
        try:
            connection.request("POST", PATHS[case.endpoint], body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def received(self) -> UpstreamRequest:
        """The one request that reached an upstream."""
        (name,) = self.ups.called()
        return self.ups[name].requests[0]


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """The site, running."""
    dialects = {name: dialect for dialect, names in CANDIDATES.items() for name in names}
    with FakeUpstream() as vectors, Upstreams(**dialects) as ups:
        lines = {name: f'model = "{at_provider(name)}"' for name in dialects}
        lines |= {name: f"{lines[name]}\nresponses = true" for name in CANDIDATES["openai"]}
        openai, anthropic = (f"{PATIENT}allow = {list(names)}" for names in CANDIDATES.values())
        more = f"[profiles.claude]\n{anthropic}\n[profiles.mixed]\n{PATIENT}"
        more += f'[candidates.{VECTORS}]\nbase_url = "{vectors.base_url}"\nembeddings = true\n'
        more += f'model = "{at_provider(VECTORS)}"\n'
        for name, allowed in (("hasty", openai), ("hasty-claude", anthropic)):
            sla = f"first_token_s = {FIRST_TOKEN_S}\ndeadline_s = {DEADLINE_S}"
            more += f"[profiles.{name}]\n{allowed}\n[profiles.{name}.sla]\n{sla}\n"
        running = Running(folder, ups, profile=f"mu = 0.3\n{openai}", candidate=lines, more=more)
        secret, _ = create_key(running.store, "conformance")
        with running as gateway:
            yield Site(gateway, ups, vectors, secret)
