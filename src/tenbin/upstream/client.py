"""The one HTTP client that calls models: raw bytes out and in, credentials from the environment, nothing followed.

aiohttp retries a request on a dropped keep-alive connection only for idempotent methods. A model call is a POST, so
that one retry is done here: only when the connection had served before and not a byte of an answer came.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from tenbin.errors import TenbinError
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.reply import Reply, failure_from

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

ANTHROPIC_VERSION = "2023-06-01"
"""Sent where the caller names no other `anthropic-version`."""

KEEPALIVE_S = 60.0
MAX_HEADER_BYTES = 32 << 10
READ_BUFFER_BYTES = 256 << 10
PIECE_BYTES = 256 << 10
"""A longer body is sent in pieces of this size: writing it in one go would hold up the loop."""

_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    }
)
"""What the client sets itself, or what belongs to one hop: never taken from a caller, whatever its filter does."""


class CallTimeout(NamedTuple):
    """Seconds until there is a connection, until the answer's head, until the answer's end; None: no bound."""

    connect_s: float | None = 10.0
    first_byte_s: float | None = None
    total_s: float | None = None


class UpstreamClient:
    """Calls destinations over kept connections; `environ` is where the keys are read, at each call.

    Belongs to one event loop between `open` and `close`. How many calls run at once is bounded by its callers.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[tuple[str, str], URL] = {}
        self._timeouts: dict[float | None, aiohttp.ClientTimeout] = {}

    async def open(self) -> None:
        """Make ready to call; nothing is connected yet."""
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=0, keepalive_timeout=KEEPALIVE_S, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trust_env=False,
            read_bufsize=READ_BUFFER_BYTES,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def close(self) -> None:
        """Close every connection; calls still running fail."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def send(
        self, destination: Destination, path: str, body: bytes, headers: Mapping[str, str], timeout: CallTimeout
    ) -> Reply:
        """POST a body to `base_url + path`; the reply stands as soon as its head has come, whatever its status.

        `headers` are those to forward; the client adds content type, credentials and the dialect's version. Raises
        UpstreamFailure where no head came. Cancelling the caller closes the connection.
        """
        if self._session is None:
            raise TenbinError("the upstream client is not open", fix="await open() first")
        name = destination.candidate.name
        started = asyncio.get_running_loop().time()
        wait_s = _shorter(timeout.first_byte_s, timeout.total_s)
        sent = self._headers(destination, headers)
        url = self._url(destination.base_url, path)
        try:
            async with asyncio.timeout_at(None if wait_s is None else started + wait_s):
                response = await self._post(self._session, url, body, sent, timeout.connect_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure_from(error, name) from None
        ends_at = None if timeout.total_s is None else started + timeout.total_s
        return Reply(response, name, ends_at, secret=_secret(sent))

    async def _post(
        self, session: aiohttp.ClientSession, url: URL, body: bytes, headers: dict[str, str], connect_s: float | None
    ) -> aiohttp.ClientResponse:
        """The response; a kept connection that the upstream had closed meanwhile is replaced once."""
        if len(body) > PIECE_BYTES:
            headers["content-length"] = str(len(body))
        attempt = _Attempt()
        _ATTEMPT.set(attempt)
        while True:
            try:
                return await session.post(
                    url,
                    data=_pieces(body) if len(body) > PIECE_BYTES else body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=self._timeout(connect_s),
                )
            except (aiohttp.ClientConnectionError, ConnectionError):
                if not attempt.is_stale:  # a fresh connection never is, so this happens once
                    raise
                attempt.wants_fresh = True

    def _headers(self, destination: Destination, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to send: those of the caller that it may set, over the defaults and under the credentials."""
        sent = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "tenbin"}
        if destination.dialect == "anthropic":
            sent["anthropic-version"] = ANTHROPIC_VERSION
        for name, value in headers.items():
            lower = name.lower()
            if lower not in _OWN_HEADERS:
                sent[lower] = value
        variable = destination.api_key_env
        if variable is None:
            return sent
        key = self._environ.get(variable, "").strip()
        if not key:
            what = f"the key of {destination.candidate.name} is not set in the environment variable {variable}"
            raise UpstreamFailure("unauthorised", what, where=destination.candidate.name)
        if destination.dialect == "anthropic":
            sent["x-api-key"] = key
        else:
            sent["authorization"] = f"Bearer {key}"
        return sent

    def _url(self, base_url: str, path: str) -> URL:
        """The parsed address; kept, for parsing costs and there are few: base URLs of the config times our paths."""
        url = self._urls.get((base_url, path))
        if url is None:
            if len(self._urls) >= 1024:
                self._urls.clear()
            url = self._urls[base_url, path] = URL(base_url + path, encoded=True)
        return url

    def _timeout(self, connect_s: float | None) -> aiohttp.ClientTimeout:
        timeout = self._timeouts.get(connect_s)
        if timeout is None:
            if len(self._timeouts) >= 1024:
                self._timeouts.clear()
            # Without a high threshold aiohttp rounds bounds above 5 s up to whole seconds.
            timeout = aiohttp.ClientTimeout(total=None, connect=connect_s, ceil_threshold=1e9)
            self._timeouts[connect_s] = timeout
        return timeout


class _Protocol(ResponseHandler):
    """A connection that knows whether anything came over it since it was last handed out."""

    has_received = False

    def data_received(self, data: bytes) -> None:
        if data:  # aiohttp calls this with nothing to go on parsing
            self.has_received = True
        super().data_received(data)


class _Attempt:
    """The connection that a call was given, and whether it had served before."""

    __slots__ = ("is_reused", "protocol", "wants_fresh")

    def __init__(self) -> None:
        self.protocol: _Protocol | None = None
        self.is_reused = False
        self.wants_fresh = False

    @property
    def is_stale(self) -> bool:
        """Whether the connection had served before and brought nothing this time."""
        return self.protocol is not None and self.is_reused and not self.protocol.has_received


_ATTEMPT: ContextVar[_Attempt | None] = ContextVar("tenbin_upstream_attempt", default=None)
"""aiohttp hands nothing of a call down to its connector; the running call's own context does."""


class _Connector(aiohttp.TCPConnector):
    """Tells the running call which connection it was given, and gives it a new one for its retry."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        protocol: type[ResponseHandler] = _Protocol
        self._factory = partial(protocol, loop=self._loop)

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        attempt = _ATTEMPT.get()
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if attempt is None or not isinstance(protocol, _Protocol):
                return connection
            if attempt.wants_fresh and protocol.has_received:
                connection.close()
                continue
            # Whoever was connected for this call has received nothing yet.
            attempt.protocol, attempt.is_reused = protocol, protocol.has_received
            protocol.has_received = False
            return connection


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


def _secret(sent: Mapping[str, str]) -> str:
    """Our key among the headers sent, "" where there is none."""
    return sent.get("x-api-key") or sent.get("authorization", "").removeprefix("Bearer ")


def _shorter(a: float | None, b: float | None) -> float | None:
    return min((seconds for seconds in (a, b) if seconds is not None), default=None)
