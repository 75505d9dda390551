"""An upstream's answer as it comes in: its head at once, its body whole or in pieces, closed at once when unwanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp

from tenbin.upstream.destination import Dialect
from tenbin.upstream.failure import UpstreamFailure, failure_of

MAX_ERROR_BYTES = 256 << 10
"""What is kept of a body that only says what went wrong."""


class Reply:
    """The answer to one call; read it to its end or `abort` it, otherwise its connection stays taken.

    `headers` are the upstream's, names in any case; `content_type` is in lower case, without parameters, "" where
    there is none. A body that came compressed although identity was asked is given out unpacked: `content-encoding`
    and `content-length` then say nothing about it. `secret` is our key there: a refusal that repeats it is given back
    without it.
    """

    __slots__ = ("_expiry", "_name", "_response", "_secret", "content_type", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, name: str, ends_at: float | None, *, secret: str = "") -> None:
        self._response = response
        self._name = name
        self._secret = secret.encode()
        self._expiry: asyncio.TimerHandle | None = None
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if ends_at is not None and not response.content.is_eof():
            self._expiry = asyncio.get_running_loop().call_at(ends_at, self._expire)

    async def read(self, max_bytes: int) -> bytes:
        """The whole body. Raises UpstreamFailure: malformed where it is longer, cut or timeout where it did not end."""
        length = self._response.content_length
        if length is None or length <= max_bytes:
            body = await self._take(max_bytes)
            if len(body) <= max_bytes:
                return body
        self.abort()
        what = f"the upstream's answer is longer than {max_bytes} bytes"
        raise UpstreamFailure("malformed", what, where=self._name, status=self.status, headers=self.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece, as it arrives; a loop that is left early closes the connection.

        Raises UpstreamFailure (cut, timeout, malformed) where the body does not end as it should.
        """
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None
        finally:
            self._leave()

    async def failure(self, dialect: Dialect, *, streamed: bool) -> UpstreamFailure | None:
        """What the head says went wrong, with the body of the refusal; None where the answer may be read.

        A body of another content type than asked for (a web page, a whole answer in place of a stream) is malformed.
        """
        if self.status < 300 and self._is_as_asked(streamed):
            return None
        try:
            body = (await self._take(MAX_ERROR_BYTES))[:MAX_ERROR_BYTES]
        except UpstreamFailure:
            body = b""  # the status alone still says what it says
        if self._secret:
            body = body.replace(self._secret, b"[redacted]")
        failure = failure_of(self.status, self.headers, body, dialect)
        if failure is None:
            what = f'the upstream answered with "{self.content_type[:80]}"'
            failure = UpstreamFailure("malformed", what, status=self.status, headers=self.headers, body=body)
        failure.where = self._name
        return failure

    def abort(self) -> None:
        """Close the connection at once; the upstream sees its client go. Nothing happens after the body's end."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        # A plain close would first flush what is unsent and, under TLS, wait for the other side.
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    async def _take(self, limit: int) -> bytes:
        """The body, or its first bytes, more than `limit` of them, where it is longer: then the connection closes."""
        content = self._response.content
        try:
            body = await content.readany()
            if content.at_eof():
                return body
            pieces, size = [body], len(body)
            while size <= limit and (body := await content.readany()):
                pieces.append(body)
                size += len(body)
            return b"".join(pieces)
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None
        finally:
            self._leave()

    def _is_as_asked(self, streamed: bool) -> bool:
        kind = self.content_type
        if streamed:
            return kind in {"text/event-stream", ""}
        return kind in {"application/json", "text/plain", ""} or kind.endswith("+json")

    def _broken(self, error: Exception) -> UpstreamFailure:
        failure = failure_from(error, self._name, has_head=True)
        failure.status, failure.headers = self.status, self.headers
        return failure

    def _leave(self) -> None:
        """Free the connection after the body's end, close it before."""
        if not self._response.content.at_eof() or self._response.content.exception() is not None:
            self.abort()
        elif self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _expire(self) -> None:
        """Wake whoever reads with a timeout, and close."""
        self._expiry = None
        self._response.content.set_exception(TimeoutError())
        self.abort()


def failure_from(error: Exception, name: str, *, has_head: bool = False) -> UpstreamFailure:
    """What an error of the HTTP client means; `has_head` once the head of the answer had come."""
    if isinstance(error, TimeoutError):
        what = "the upstream's answer did not end in time" if has_head else "the upstream did not answer in time"
        return UpstreamFailure("timeout", what, where=name)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        # A certificate error is a connector error without an `os_error`.
        why = getattr(getattr(error, "_os_error", None), "strerror", None) or type(error).__name__
        return UpstreamFailure("connect", f"no connection to the upstream ({why})", where=name)
    if isinstance(error, aiohttp.ClientResponseError) or isinstance(error.__cause__, aiohttp.ClientResponseError):
        return UpstreamFailure("malformed", "the upstream's answer is not valid HTTP", where=name)
    if isinstance(error, ValueError):
        return UpstreamFailure("refused", "a header of the request cannot be sent", where=name)
    if has_head:
        return UpstreamFailure("cut", "the upstream's answer ended before its end", where=name)
    return UpstreamFailure("reset", "the upstream closed the connection without an answer", where=name)
