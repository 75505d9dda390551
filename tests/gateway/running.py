"""A gateway under test in this process: a small router of its own, fake upstreams behind it, a plain client in front.

    with Upstreams("cheap", "good", claude="anthropic") as ups, Running(tmp_path, ups) as gateway:
        answer = gateway.post("/v1/chat/completions", {"model": "tenbin/auto", "messages": [...]})

Every upstream is one candidate. Easy prompts ("hello ...") go to `cheap`, hard ones ("prove ...") to `good`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import numpy as np
import uvloop

from tenbin.gateway.app import Gateway, make_gateway
from tenbin.gateway.server import Port
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tenbin.types import Panel, Price, Query

EASY = "hello there, please say something nice about number"
HARD = "prove rigorously the difficult theorem about number"
PRICES = {"cheap": 0.1, "good": 10.0}
USUAL_PRICE = 20.0
PATIENCE_S = 60.0
PATIENT = "decision_deadline_ms = 20000\n"
"""On a busy machine the usual 30 ms pass now and then, and the safe default answers."""


class Upstreams:
    """Fake upstreams by candidate: positional names speak OpenAI's dialect, `name="anthropic"` Anthropic's."""

    def __init__(self, *names: str, **dialects: str) -> None:
        self.dialects = {**dict.fromkeys(names, "openai"), **dialects}
        self.fakes = {name: FakeUpstream() for name in self.dialects}

    def __getitem__(self, name: str) -> FakeUpstream:
        return self.fakes[name]

    def __enter__(self) -> Self:
        for fake in self.fakes.values():
            fake.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fake in self.fakes.values():
            fake.close()

    def called(self) -> list[str]:
        """The names of the candidates that were called, once per call."""
        return [name for name, fake in self.fakes.items() for _ in fake.requests]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["error"])


USUAL = FitSettings(embedder="base", learning_curve=False)


def fitted(names: list[str], settings: FitSettings = USUAL, ending: Callable[[int], str] = str) -> Router:
    """A router for these candidates: `cheap` fails on hard prompts, all others answer everything."""
    prompts = [f"{text} {ending(i)}" for i in range(60) for text in (EASY, HARD)]
    shape = (len(prompts), len(names))
    quality = np.ones(shape)
    for m, name in enumerate(names):
        if name == "cheap":
            quality[1::2, m] = 0.0
        elif name != "good":
            quality[:, m] = 0.9
    tokens, none = np.full(shape, 20.0), np.full(shape, np.nan)
    panel = Panel(
        queries=tuple(Query(str(i), prompt) for i, prompt in enumerate(prompts)),
        models=tuple(names),
        quality=quality,
        input_tokens=tokens,
        output_tokens=5.0 * tokens,
        cost_usd=none,
        latency_s=none,
        label_propensity=np.ones(shape),
    )
    usual = {n: PRICES.get(n, USUAL_PRICE) for n in names}
    prices = {n: [Price(usd, 4.0 * usd, priority_factor=2.0)] for n, usd in usual.items()}
    return fit(panel, PriceBook(prices), settings)


@cache
def usual(names: tuple[str, ...]) -> Router:
    """Fitted once for every gateway of these candidates: each saves it to a folder of its own."""
    return fitted(list(names))


def written(
    folder: Path,
    upstreams: Upstreams,
    *,
    profile: str = "mu = 0.3",
    gateway: str = 'keys = "open"',
    candidate: Mapping[str, str] = MappingProxyType({}),
    more: str = "",
) -> Path:
    """The configuration of a gateway in front of these upstreams, and its router where there is none yet."""
    config, router = folder / "tenbin.toml", folder / "router"
    if not router.exists():
        usual(tuple(upstreams.dialects)).save(router)
    lines = [f'[gateway]\nrouter = "{router}"\nport = 0\nadmin_port = 0\nlog_level = "error"\n{gateway}']
    lines.append(f'[store]\npath = "{folder / "store"}"')
    for name, dialect in upstreams.dialects.items():
        extra = candidate.get(name, "")
        lines.append(f'[candidates.{name}]\nbase_url = "{upstreams[name].base_url}"\ndialect = "{dialect}"\n{extra}')
    patience = "" if "decision_deadline_ms" in profile else PATIENT
    lines.append(f"[profiles.auto]\n{patience}{profile}")
    config.write_text("\n".join([*lines, more]), encoding="utf-8")
    return config


class Running:
    """A gateway on its own thread and loop; `profile`, `gateway` and `candidate` are lines for their tables."""

    def __init__(
        self,
        folder: Path,
        upstreams: Upstreams,
        *,
        profile: str = "mu = 0.3",
        gateway: str = 'keys = "open"',
        candidate: Mapping[str, str] | None = None,
        more: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.upstreams = upstreams
        self.environ = dict(environ or {})
        self.router = folder / "router"
        self.config = written(folder, upstreams, profile=profile, gateway=gateway, candidate=candidate or {}, more=more)
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.stop: asyncio.Event | None = None
        self.gateway: Gateway

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def __enter__(self) -> Self:
        self.thread.start()
        assert self.ready.wait(PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.stop is not None:
            self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as error:
            self.failure = error
        finally:
            self.ready.set()
            # As `asyncio.run` does: a thread that still asks the loop for something would wait for ever.
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    async def _serve(self) -> None:
        self.stop = asyncio.Event()
        self.gateway = make_gateway(self.config, self.environ)
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.port, self.admin_port = (s.getsockname()[1] for s in sockets)
        ports = [Port(self.gateway), Port(self.gateway.admin)]
        await self.gateway.startup()
        tasks = [asyncio.create_task(p.serve(sockets=[s])) for p, s in zip(ports, sockets, strict=True)]
        await asyncio.gather(*(p.is_open.wait() for p in ports))
        self.ready.set()
        await self.stop.wait()
        await self.gateway.drain(5.0)
        for port in ports:
            port.should_exit = True
        await asyncio.gather(*tasks)
        await self.gateway.shutdown()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the gateway's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    @cached_property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def request(self, method: str, path: str, body: Any = None, *, admin: bool = False, **headers: str) -> Reply:
        """One request on a connection of its own; keywords are headers, with _ for -; bytes go out as they are."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.admin_port if admin else self.port, timeout=PATIENCE_S
        )
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """POST JSON, or bytes as they are."""
        return self.request("POST", path, body, **headers)

    def get(self, path: str, **headers: str) -> Reply:
        """GET."""
        return self.request("GET", path, **headers)

    def chat(
        self, text: str = HARD, *, model: str = "tenbin/auto", headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Reply:
        """A chat completion of one user message."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.post("/v1/chat/completions", body, **(headers or {}))

    def calls(self) -> list[Any]:
        """All calls in the ledger, once it holds everything."""
        assert self.do(self.gateway.services.ledger.flush())
        return list(self.gateway.services.reader.requests())


def frames(body: bytes) -> list[Any]:
    """The data of a stream's events, decoded; [DONE] as it is."""
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]


def after(other: FakeUpstream, n: int) -> Callable[[UpstreamRequest], Answer]:
    """A script whose answers come once another upstream has been asked `n` times, however long that takes."""

    def answer(_: UpstreamRequest) -> Answer:
        other.wait_for(n, PATIENCE_S)
        return Answer()

    return answer


def eventually(holds: Any, what: str) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.01)
