"""An upstream's answer as it comes in: its head at once, its body whole or in pieces, closed at once when unwanted."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator

from tenbin.upstream.answer_headers import MIN_SECRET_CHARACTERS, REDACTED
from tenbin.upstream.connection import Connection, MalformedError
from tenbin.upstream.destination import Dialect
from tenbin.upstream.failure import UpstreamFailure, failure_of
from tenbin.upstream.unpacking import Unpacking

MAX_ERROR_BYTES = 256 << 10
"""What is kept of a body that only says what went wrong."""
_FRAMES = frozenset({"transfer-encoding", "content-length"})


class Reply:
    """The answer to one call; read it to its end or `abort` it, otherwise its connection stays taken.

    `headers` are the upstream's, names in any case; `content_type` is in lower case, without parameters, the first
    where it came twice, "" where there is none. A body that came compressed although identity was asked is given out
    unpacked: `content-encoding` and `content-length` then say nothing about it. `secret` is our key there: headers and
    a refusal that repeat it are given back without it.
    """

    __slots__ = (
        "_connection",
        "_ends_at",
        "_is_whole",
        "_name",
        "_secret",
        "_unpacking",
        "content_type",
        "headers",
        "status",
    )

    def __init__(self, connection: Connection, name: str, secret: str = "", ends_at: float = math.inf) -> None:
        self._connection: Connection | None = connection
        self._ends_at = ends_at
        self._is_whole = False
        self._name = name
        self._secret = secret = secret if len(secret) >= MIN_SECRET_CHARACTERS else ""
        self.status = connection.status
        self.headers = connection.headers.without(secret) if secret else connection.headers
        said = self.headers.by_name.get
        self.content_type = said("content-type", "").partition(";")[0].partition(",")[0].strip().lower()
        coding = said("content-encoding", "").strip().lower()
        self._unpacking = Unpacking(coding) if coding and coding != "identity" else None

    @property
    def has_ended(self) -> bool:
        """Whether all of the body has come and been given out; False where it came packed."""
        connection = self._connection
        return connection is not None and connection.is_complete and not connection.pieces and self._unpacking is None

    @property
    def says_its_end(self) -> bool:
        """Whether a body that came whole ended by its length or its last chunk, not just with its connection."""
        return not _FRAMES.isdisjoint(self.headers.by_name)

    async def read(self, max_bytes: int) -> bytes:
        """The whole body. Raises UpstreamFailure: malformed where it is longer, cut or timeout where it did not end."""
        length = self.headers.by_name.get("content-length")
        if length is None or int(length) <= max_bytes:
            body = await self._take(max_bytes)
            if len(body) <= max_bytes:
                return body
        self.abort()
        what = f"the upstream's answer is longer than {max_bytes} bytes"
        raise UpstreamFailure("malformed", what, where=self._name, status=self.status, headers=self.headers)

    def until(self, deadline: float) -> None:
        """Let waiting for the body fail with a timeout at this moment of the loop's clock, or when the call ends."""
        connection = self._connection
        if connection is not None and not connection.is_complete:
            connection.until(min(deadline, self._ends_at))

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, as it arrives; a loop that is left early closes the connection.

        Raises UpstreamFailure (cut, timeout, malformed) where the body does not end as it should.
        """
        unpacking = self._unpacking
        try:
            # Asked for each time: whoever aborts between two pieces may have given the connection to the next call.
            while (connection := self._connection) is not None and (chunk := await connection.more()):
                if unpacking is None:
                    yield chunk
                else:
                    for piece in unpacking.feed(chunk):
                        yield piece
            if connection is None and not self._is_whole:
                raise ConnectionAbortedError
            if unpacking is not None and not unpacking.is_whole:
                raise MalformedError("the packed body breaks off")
        except (OSError, ValueError) as error:
            raise self._broken(error) from None
        finally:
            self.abort()

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
        body = self.redacted(body)
        failure = failure_of(self.status, self.headers, body, dialect)
        if failure is None:
            what = f'the upstream answered with "{self.content_type[:80]}"'
            failure = UpstreamFailure("malformed", what, status=self.status, headers=self.headers, body=body)
        failure.where = self._name
        return failure

    def redacted(self, refusal: bytes) -> bytes:
        """A refusal, wherever it stood in the answer, without our key."""
        return refusal.replace(self._secret.encode(), REDACTED.encode()) if self._secret else refusal

    def abort(self) -> None:
        """Close the connection at once; the upstream sees its client go. Nothing happens after the body's end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._is_whole = connection.is_complete
            connection.leave()

    def __del__(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.forsake()

    async def _take(self, limit: int) -> bytes:
        """The body, or its first bytes, more than `limit` of them, where it is longer: then the connection closes."""
        connection = self._connection
        if connection is not None and connection.is_complete and self._unpacking is None:
            body = connection.take()
            self.abort()
            return body
        pieces, size = [], 0
        async with contextlib.aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                pieces.append(chunk)
                size += len(chunk)
                if size > limit:
                    break
        return b"".join(pieces)

    def _is_as_asked(self, streamed: bool) -> bool:
        kind = self.content_type
        if streamed:
            return kind in {"text/event-stream", ""}
        return kind in {"application/json", "text/plain", ""} or kind.endswith("+json")

    def _broken(self, error: Exception) -> UpstreamFailure:
        failure = failure_from(error, self._name, has_head=True)
        failure.status, failure.headers = self.status, self.headers
        return failure


def failure_from(error: Exception, name: str, *, has_head: bool = False) -> UpstreamFailure:
    """What an error of a connection means; `has_head` once the head of the answer had come."""
    if isinstance(error, TimeoutError):
        what = "the upstream's answer did not end in time" if has_head else "the upstream did not answer in time"
        return UpstreamFailure("timeout", what, where=name)
    if isinstance(error, ValueError):
        return UpstreamFailure("malformed", f"the upstream's answer is not valid HTTP ({error})", where=name)
    if has_head:
        return UpstreamFailure("cut", "the upstream's answer ended before its end", where=name)
    return UpstreamFailure("reset", "the upstream closed the connection without an answer", where=name)
