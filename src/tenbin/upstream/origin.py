"""A server that is called: its open connections, and how a new one is made."""

from __future__ import annotations

import asyncio
import math
import ssl
from functools import partial

from tenbin.upstream.addresses import Addresses
from tenbin.upstream.connection import Connection
from tenbin.upstream.proxy import Proxy, Tunnel

KEEPALIVE_S = 60.0
MAX_IDLE = 1024
"""Connections kept for later calls; those in use are bounded by who calls."""


class Tls:
    """The one TLS context of a client: certificates verified, HTTP/1.1 asked for; made when first needed."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        """Reading the system's certificates takes tens of milliseconds, so a thread does it."""
        if self._context is None:
            context = await asyncio.to_thread(ssl.create_default_context)
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        return self._context


class Origin:
    """Scheme, host, port and the proxy on the way; idle connections are reused last in, first out."""

    __slots__ = ("_addresses", "_everyone", "_host", "_idle", "_is_closed", "_loop", "_port", "_proxy", "_tls", "_way")

    def __init__(
        self,
        host: str,
        port: int,
        tls: Tls | None,
        addresses: Addresses,
        loop: asyncio.AbstractEventLoop,
        proxy: Proxy | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._proxy = proxy
        self._way = (host, port) if proxy is None else (proxy.host, proxy.port)
        self._addresses = addresses
        self._loop = loop
        self._is_closed = False
        self._idle: list[Connection] = []
        self._everyone: set[Connection] = set()

    def idle(self) -> Connection | None:
        """A connection that has served before, None where there is none."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    def forget_idle(self) -> None:
        """Close what is idle: where one connection had gone stale, the others have, too."""
        while self._idle:
            self._idle.pop().abort()

    async def connect(self, deadline: float) -> Connection:
        """A new connection, by the first of the host's addresses that takes it. Raises OSError, ValueError.

        While there are others left, an address gets an equal share of the time until the deadline, on the loop's
        clock; TimeoutError once that has passed.
        """
        bounded = deadline < math.inf
        async with asyncio.timeout_at(deadline if bounded else None):
            context = None if self._tls is None else await self._tls.context()
            found = await self._addresses.of(*self._way)
            error: Exception = OSError("the host has no address")
            for i, address in enumerate(found):
                share_s = (deadline - self._loop.time()) / (len(found) - i) if bounded else None
                try:
                    async with asyncio.timeout(share_s):
                        return await self._connect(address, context)
                except OSError as failed:  # TimeoutError is one
                    error = failed
            raise error

    async def _connect(self, address: str, context: ssl.SSLContext | None) -> Connection:
        make = partial(Connection, self._loop, self._freed, self._lost)
        if self._proxy is not None and context is not None:
            connection = await self._tunnelled(make(), self._proxy, address, context)
        else:
            _, connection = await self._loop.create_connection(
                make, address, self._port, ssl=context, server_hostname=None if context is None else self._host
            )
        if self._is_closed:
            connection.abort()
        if connection.error is None:
            self._everyone.add(connection)
        return connection

    async def _tunnelled(
        self, connection: Connection, proxy: Proxy, address: str, context: ssl.SSLContext
    ) -> Connection:
        asking = proxy.asking_for(self._host, self._port)
        transport, tunnel = await self._loop.create_connection(partial(Tunnel, self._loop, asking), address, proxy.port)
        try:
            await tunnel.opened
            secured = await self._loop.start_tls(transport, connection, context, server_hostname=self._host)
        except BaseException:
            transport.abort()
            raise
        if secured is None:  # the server went while it shook hands
            raise ConnectionResetError
        connection.connection_made(secured)
        return connection

    async def close(self) -> None:
        """Close all connections; calls that still run fail."""
        self._is_closed = True
        gone = [connection.gone for connection in self._everyone]
        self._idle.clear()
        for connection in list(self._everyone):
            connection.abort()
        if gone:
            await asyncio.wait(gone, timeout=1.0)

    def _freed(self, connection: Connection) -> None:
        if len(self._idle) >= MAX_IDLE:
            connection.abort()
            return
        self._idle.append(connection)
        connection.until(self._loop.time() + KEEPALIVE_S)

    def _lost(self, connection: Connection) -> None:
        self._everyone.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
