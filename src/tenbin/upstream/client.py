"""The one HTTP client that calls models: raw bytes out and in, credentials from the environment, nothing followed.

A gateway's own cost is for the larger part that of its upstream call, so this is HTTP/1.1 and nothing else, right on
the event loop's transports: no task, no timer and no parsed address per call. Where a kept connection turns out to have
been closed by the upstream meanwhile, the call is made once more on a new one: only if it had served before and not a
byte of an answer came, and not at all for a caller who must know how often he was billed (`resends=False`).
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from tenbin.errors import TenbinError
from tenbin.upstream.addresses import Addresses
from tenbin.upstream.connection import Connection
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.origin import Origin, Tls
from tenbin.upstream.proxy import proxy_for
from tenbin.upstream.reply import Reply, failure_from
from tenbin.upstream.request_head import HeaderNames, Method, RequestHead, request_head

MAX_HEADS = 1024
PORTS: Mapping[str, int] = {"http": 80, "https": 443}
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Why there is no connection where it is this machine that cannot make one: files, memory, ports."""


class CallTimeout(msgspec.Struct, frozen=True):
    """Seconds until there is a connection, until the answer's head, until the answer's end; None: no bound."""

    connect_s: float | None = 10.0
    first_byte_s: float | None = None
    total_s: float | None = None


class Request(msgspec.Struct, frozen=True, eq=False):
    """A request made ready: where it goes, what is sent, the candidate's name and our key there, for who reports."""

    origin: Origin
    head: bytes
    body: bytes
    name: str
    secret: str


class UpstreamClient:
    """Calls destinations over kept connections; `environ` is where the keys are read, at each call, and a proxy's
    address, at the first.

    Belongs to one event loop between `open` and `close`. How many calls run at once is bounded by its callers.
    """

    def __init__(self, environ: Mapping[str, str], *, resends: bool = True) -> None:
        self._environ = environ
        self._resends = resends
        self._loop: asyncio.AbstractEventLoop | None = None
        self._addresses: Addresses | None = None
        self._names = HeaderNames()
        self._tls = Tls()
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self._heads: dict[tuple[str, str, str, str | None, Method], tuple[Origin, RequestHead]] = {}

    async def open(self) -> None:
        """Make ready to call; nothing is connected yet."""
        self._loop = asyncio.get_running_loop()
        self._addresses = Addresses(self._loop)

    async def close(self) -> None:
        """Close every connection; calls still running fail."""
        self._loop = None
        origins = list(self._origins.values())
        self._origins.clear()
        self._heads.clear()
        for origin in origins:
            await origin.close()

    async def send(
        self, destination: Destination, path: str, body: bytes, headers: Mapping[str, str], timeout: CallTimeout
    ) -> Reply:
        """POST a body to `base_url + path`; the reply stands as soon as its head has come, whatever its status.

        `headers` are those to forward; the client adds content type, credentials and the dialect's version. Raises
        UpstreamFailure where no head came. Cancelling the caller closes the connection.
        """
        return await self.call(self.ready(destination, path, body, headers), timeout)

    async def fetch(
        self, destination: Destination, path: str, headers: Mapping[str, str], timeout: CallTimeout
    ) -> Reply:
        """GET `base_url + path`; otherwise as `send`."""
        return await self.call(self.ready(destination, path, b"", headers, "GET"), timeout)

    def ready(
        self, destination: Destination, path: str, body: bytes, headers: Mapping[str, str], method: Method = "POST"
    ) -> Request:
        """What `send` and `fetch` send, to be called once; UpstreamFailure where it cannot be sent at all."""
        origin, head = self._head(method, destination, path)
        name = destination.candidate.name
        try:
            said = head.filled(headers, self._names, len(body))
        except ValueError as error:
            raise UpstreamFailure("refused", f"a header of the request cannot be sent: {error}", where=name) from None
        return Request(origin, said, body, name, head.secret)

    async def call(self, request: Request, timeout: CallTimeout) -> Reply:
        """Send a request that was made ready; otherwise as `send`."""
        loop = self._loop
        if loop is None:
            raise TenbinError("the upstream client is not open", fix="await open() first")
        origin, name = request.origin, request.name
        now = loop.time()
        connect_s, first_byte_s, total_s = timeout.connect_s, timeout.first_byte_s, timeout.total_s
        ends_at = math.inf if total_s is None else now + total_s
        head_by = ends_at if first_byte_s is None else min(now + first_byte_s, ends_at)
        connect_by = head_by if connect_s is None else min(now + connect_s, head_by)
        connection = origin.idle()
        try:
            if connection is not None:
                try:
                    await connection.ask(request.head, request.body, head_by)
                except ConnectionError:
                    if connection.has_received or not self._resends:
                        raise
                    origin.forget_idle()
                    connection = None
            if connection is None:
                connection = await _connected(origin, connect_by, name)
                await connection.ask(request.head, request.body, head_by)
        except (OSError, ValueError) as error:
            raise failure_from(error, name) from error
        if ends_at != head_by:
            connection.until(ends_at)
        return Reply(connection, name, request.secret, ends_at)

    def _head(self, method: Method, destination: Destination, path: str) -> tuple[Origin, RequestHead]:
        """Where the call goes, and the constant part of its head; made anew when the key has changed."""
        variable = destination.api_key_env
        key = "" if variable is None else self._environ.get(variable, "").strip()
        if variable is not None and not key:
            what = f"the key of {destination.candidate.name} is not set in the environment variable {variable}"
            raise UpstreamFailure("unauthorised", what, where=destination.candidate.name)
        place = (destination.base_url, path, destination.dialect, variable, method)
        kept = self._heads.get(place)
        if kept is None or kept[1].secret != key:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            try:
                kept = self._heads[place] = self._made(method, destination, path, key)
            except ValueError as error:
                what = f"the upstream cannot be called: {error}"
                raise UpstreamFailure("connect", what, where=destination.candidate.name) from None
        return kept

    def _made(self, method: Method, destination: Destination, path: str, key: str) -> tuple[Origin, RequestHead]:
        if self._loop is None or self._addresses is None:
            raise TenbinError("the upstream client is not open", fix="await open() first")
        url = urlsplit(destination.base_url + path)
        scheme, host = url.scheme, url.hostname
        if scheme not in PORTS or not host:
            raise ValueError("its address is not http:// or https:// and a host")
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        port = url.port or PORTS[scheme]
        shown = f"[{host}]" if ":" in host else host
        if port != PORTS[scheme]:
            shown = f"{shown}:{port}"
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        head = request_head(method, shown, target, destination.dialect, key)
        place = (scheme, host, port)
        origin = self._origins.get(place)
        if origin is None:
            tls = self._tls if scheme == "https" else None
            proxy = None if tls is None else proxy_for(self._environ, host, port)
            origin = self._origins[place] = Origin(host, port, tls, self._addresses, self._loop, proxy)
        return origin, head


async def _connected(origin: Origin, deadline: float, name: str) -> Connection:
    try:
        return await origin.connect(deadline)
    except TimeoutError as error:
        # No timeout of the call's: nothing was asked yet, so nothing can be billed.
        raise UpstreamFailure("connect", "no connection to the upstream in time", where=name) from error
    except (OSError, ValueError) as error:
        what = f"no connection to the upstream ({why_unconnected(error)})"
        is_ours = isinstance(error, OSError) and error.errno in NO_ROOM
        raise UpstreamFailure("connect", what, where=name, is_ours=is_ours) from error


def why_unconnected(error: Exception) -> str:
    """Why there is no connection, in the words of who knows: the TLS library's, or the system's for its number."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    number = error.errno if isinstance(error, OSError) and not isinstance(error, socket.gaierror) else None
    if number is not None and number > 0:
        return os.strerror(number)
    return getattr(error, "strerror", None) or type(error).__name__
