"""What the fake upstream says to one request, and how badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenbin.types import Usage

BEFORE_HEADERS = -1
"""As `cut_at`: the connection ends before the status line."""

Ending = Literal["whole", "close", "reset", "hang"]
Finish = Literal["stop", "length", "tool", "filter"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `Answer()` is the correct one to whatever was asked, each field changes one thing about it.

    What is said: `text` (words), `finish` (why it ends) and `usage` replace what would be derived from the request;
    `status` of 400 and above gives an error body in the dialect of the request, with `code` and `message`. `body`
    or `chunks` (sent one by one) replace the payload itself, `raw` the whole HTTP message, byte for byte.
    How: `first_byte_s` before the status line, `first_chunk_s` between headers and payload, `chunk_gap_s` between
    chunks, `chunk_bytes` slices the payload anew. `error_after` puts an error event into a stream after so many
    chunks. After `cut_at` bytes of payload the connection ends by `ending`: closed, reset, or left hanging.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    chunks: tuple[bytes, ...] | None = None
    raw: bytes | None = None
    text: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    code: str | None = None
    message: str | None = None
    first_byte_s: float = 0.0
    first_chunk_s: float = 0.0
    chunk_gap_s: float = 0.0
    chunk_bytes: int | None = None
    error_after: int | None = None
    is_gzipped: bool = False
    cut_at: int | None = None
    ending: Ending = "whole"

    @classmethod
    def error(
        cls, status: int, *, code: str | None = None, message: str | None = None, retry_after: float | None = None
    ) -> Answer:
        """An error in the dialect of the request; `retry_after` in seconds becomes the header."""
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return cls(status=status, code=code, message=message, headers=headers)

    @classmethod
    def context_length_exceeded(cls) -> Answer:
        """The 400 of a prompt that the model's context window cannot hold."""
        return cls(status=400, code="context_length_exceeded")

    @classmethod
    def content_filter(cls) -> Answer:
        """A refusal by the provider's filter: finish_reason `content_filter`, stop_reason `refusal`."""
        return cls(text="", finish="filter")

    @classmethod
    def html(cls, status: int = 500) -> Answer:
        """A page of HTML where JSON belongs, as proxies in front of a provider send it."""
        page = b"<html><body><h1>%d Something went wrong</h1></body></html>" % status
        return cls(status=status, body=page, headers={"content-type": "text/html; charset=utf-8"})

    @classmethod
    def wrong_type(cls, content_type: str = "text/plain") -> Answer:
        """The correct answer under a wrong content type."""
        return cls(headers={"content-type": content_type})

    @classmethod
    def malformed_json(cls) -> Answer:
        """A 200 whose JSON breaks off."""
        return cls(body=b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess')

    @classmethod
    def malformed_http(cls) -> Answer:
        """Bytes that are no HTTP at all, then the end of the connection."""
        return cls(raw=b"\x16\x03\x01 this is not HTTP\r\n\r\n", ending="close")

    @classmethod
    def reset(cls) -> Answer:
        """The connection reset (RST) before a single header."""
        return cls(cut_at=BEFORE_HEADERS, ending="reset")

    @classmethod
    def close(cls) -> Answer:
        """The connection closed (FIN) before a single header."""
        return cls(cut_at=BEFORE_HEADERS, ending="close")

    @classmethod
    def cut_stream(cls, at_byte: int, ending: Ending = "close") -> Answer:
        """The correct answer until `at_byte` bytes of payload, then the end of the connection."""
        return cls(cut_at=at_byte, ending=ending)

    @classmethod
    def error_in_stream(cls, after_chunks: int = 3, *, code: str | None = None) -> Answer:
        """The correct stream for some chunks, then an error event of the dialect and a clean end."""
        return cls(error_after=after_chunks, code=code)

    @classmethod
    def slow(cls, first_byte_s: float = 0.0, first_chunk_s: float = 0.0, chunk_gap_s: float = 0.0) -> Answer:
        """The correct answer, late: before the headers, before the first chunk, between the chunks."""
        return cls(first_byte_s=first_byte_s, first_chunk_s=first_chunk_s, chunk_gap_s=chunk_gap_s)

    @classmethod
    def drip(cls, chunk_bytes: int = 1, chunk_gap_s: float = 0.0) -> Answer:
        """The correct answer in slices of `chunk_bytes`, wherever they fall."""
        return cls(chunk_bytes=chunk_bytes, chunk_gap_s=chunk_gap_s)

    @classmethod
    def hang(cls, at_byte: int = BEFORE_HEADERS) -> Answer:
        """Nothing more after `at_byte` bytes of payload (before the headers), until the client gives up."""
        return cls(cut_at=at_byte, ending="hang")

    @classmethod
    def huge(cls, size: int) -> Answer:
        """A correct answer whose text has `size` bytes."""
        return cls(text="x" * size)

    @classmethod
    def gzipped(cls) -> Answer:
        """The correct answer as gzip, whether the client accepts that or not."""
        return cls(is_gzipped=True)
