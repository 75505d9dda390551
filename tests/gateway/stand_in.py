"""A small ASGI app with the methods of the gateway, and a script that serves it as `tenbin serve` would.

`python stand_in.py serve CONFIG WORKERS [HOST PORT]` is the command; `python stand_in.py ORDER` a worker of it.
`/who` answers with worker and process, `/config` with the text taken up at the last reload, `/stream` with one line,
and a second one once `/release` was asked; `/late` with both, apart by more than a port's last words, and a drain does
not know of it; `/die` ends the process at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenbin.config import load_document
from tenbin.errors import ConfigError
from tenbin.gateway.port import LAST_WORDS_S


class StandIn:
    def __init__(self, config: Path, environ: Mapping[str, str], *, worker: int, workers: int) -> None:
        self.config, self.environ, self.worker, self.workers = config, environ, worker, workers
        self.is_draining = False
        self.running = 0
        self.released: asyncio.Event | None = None
        self.text = ""
        self.reload()
        if "hold the start" in self.text:
            config.with_name("held").read_bytes()  # a pipe, which somebody opens and closes

    async def startup(self) -> None:
        self.released = asyncio.Event()

    async def drain(self, deadline_s: float) -> None:
        self.is_draining = True
        async with asyncio.timeout(deadline_s):
            while self.running:
                await asyncio.sleep(0.01)
        print("drained", file=sys.stderr, flush=True)

    async def shutdown(self) -> None:
        print("shut down", file=sys.stderr, flush=True)

    def reload(self) -> None:
        load_document(self.config, self.environ)
        text = self.config.read_text(encoding="utf-8")
        if "refuse me" in text:
            raise ConfigError("is refused", where="stand-in", fix="change it")
        self.text = text

    async def admin(self, _scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, 200, {"admin": self.worker})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.released is not None
        match scope["path"]:
            case "/who":
                await answer(send, 200, {"worker": self.worker, "workers": self.workers, "pid": os.getpid()})
            case "/threads":
                await answer(send, 200, os.environ.get("OPENBLAS_NUM_THREADS"))
            case "/config":
                await answer(send, 200, self.text)
            case "/ready":
                await answer(send, 503 if self.is_draining else 200, {})
            case "/body":
                size = 0
                message = {"more_body": True}
                while message.get("more_body"):
                    message = await receive()
                    size += len(message.get("body", b""))
                await answer(send, 200, size)
            case "/release":
                self.released.set()
                await answer(send, 200, {})
            case "/late":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
                await asyncio.sleep(LAST_WORDS_S + 0.5)
                await send({"type": "http.response.body", "body": b"last\n"})
            case "/die":
                os._exit(3)
            case "/stream":
                self.running += 1
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
                await self.released.wait()
                await send({"type": "http.response.body", "body": b"last\n"})
                self.running -= 1


async def answer(send: Any, status: int, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(arguments: list[str]) -> int:
    if arguments[0] != "serve":
        if os.environ.get("STAND_IN_DIES"):
            return 7
        from tenbin.gateway.worker import main as work

        return work(arguments, StandIn)
    from tenbin.cli.failure import report
    from tenbin.cli.serve import overridden, run_gateway
    from tenbin.gateway import supervisor

    if os.environ.get("STAND_IN_DIES"):
        supervisor.STEADY_S = 0.0  # as if each start took longer than that: who never served was never steady
    host, port = arguments[3:5] if len(arguments) > 3 else (None, None)
    environ = overridden(os.environ, host, None if port is None else int(port))
    command = (sys.executable, __file__)
    try:
        run_gateway(Path(arguments[1]), environ, int(arguments[2]), make=StandIn, command=command)
    except Exception as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
