"""uvicorn on a socket that is bound already, without its signals, its logs and its headers."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from uvicorn.server import Server as UvicornServer

from tenbin.gateway.address import BACKLOG
from tenbin.gateway.connection import Connection

KEEP_ALIVE_S = 75
"""Longer than the idle time of common load balancers (60 s), which would else reuse a connection as it closes."""
LAST_WORDS_S = 2
"""What uvicorn waits at least for connections after the drain before it cancels what still runs on them."""
TURN_S = 0.001
"""How long a process that took a connection leaves the next one to the others."""
NO_DESCRIPTORS_S = 0.5
"""How long nothing is accepted after the system refused to."""


class Port(UvicornServer):
    """Serves an ASGI app on one bound socket.

    Where processes share the socket, each takes one connection and then lets the others: else the one that wakes first
    takes all, and of 16 connections made at once one worker serves up to 16 and the other none.
    """

    def __init__(self, app: Any, *, is_shared: bool = False) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="error",  # below it stands what any client can cause: nonsense on the wire
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=LAST_WORDS_S,
            )
        )
        self.is_shared = is_shared
        self.is_open = asyncio.Event()
        self.listeners: list[socket.socket] = []
        self.opening: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Listen on `sockets`."""
        listeners = list(sockets or ())
        await super().startup([] if self.is_shared else listeners)
        if self.is_shared:
            self.listeners = listeners
            for listener in listeners:
                asyncio.get_running_loop().add_reader(listener, self._accept, listener)
        self.is_open.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, then let the connections end."""
        self.stop_listening()
        await super().shutdown(sockets)

    def end(self, patience_s: float) -> None:
        """Stop listening, and cancel what still runs after so many seconds: requests come in to the end of a drain."""
        self.config.timeout_graceful_shutdown = max(math.ceil(patience_s), LAST_WORDS_S)
        self.should_exit = True

    def stop_listening(self) -> None:
        """Give the address free; connections that stand go on."""
        for server in self.servers:
            server.close()
        while self.listeners:
            listener = self.listeners.pop()
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process."""
        yield

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection, if another process was not quicker."""
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return
        except OSError:  # no descriptors, no memory: ask again later instead of at once and for ever
            self._pause(listener, NO_DESCRIPTORS_S)
            return
        self._pause(listener, TURN_S)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(self._connection, client))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    def _pause(self, listener: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(seconds, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self.listeners:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _connection(self) -> Connection:
        return Connection(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
