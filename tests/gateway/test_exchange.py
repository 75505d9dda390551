"""One exchange: headers by name, and a body that is bounded however it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tenbin.errors import RequestError
from tenbin.gateway.exchange import ONCE, Exchange, headers_of

LIMIT = 2**20


def said(*messages: MutableMapping[str, Any], **headers: str) -> tuple[Exchange, bytes | RequestError, int]:
    """The exchange, its body or the refusal of it, and how many messages were left."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    left = list(messages)

    async def receive() -> MutableMapping[str, Any]:
        return left.pop(0)

    async def send(_: MutableMapping[str, Any]) -> None:
        raise AssertionError("nothing is answered here")

    exchange = Exchange({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive, send)
    exchange.read_headers()
    try:
        return exchange, asyncio.run(exchange.body(LIMIT)), len(left)
    except RequestError as refused:
        return exchange, refused, len(left)


def part(body: bytes, *, is_last: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": not is_last}


def test_headers_given_twice_are_joined_but_those_that_must_be_single() -> None:
    raw = [(b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2"), (b"a", b"")]
    assert headers_of(raw) == {"a": "1, 2, ", "b": "\xe9"}
    assert headers_of(raw[:2]) == {"a": "1", "b": "\xe9"}
    assert headers_of([(b"a", b"1\n2"), (b"b", b"3")]) == {"a": "1\n2", "b": "3"}
    assert headers_of([]) == {}
    assert {"authorization", "x-api-key", "content-length", "content-type", "host", "transfer-encoding"} == ONCE
    for name in ONCE:
        with pytest.raises(RequestError, match=f"the header {name} is given twice") as caught:
            headers_of([(name.encode(), b"1"), (b"a", b"2"), (name.encode(), b"1")])
        assert (caught.value.status, caught.value.code) == (400, "repeated_header")


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_a_body_comes_whole_or_in_parts(size: int) -> None:
    whole = bytes(size)
    assert said(part(whole, is_last=True))[1] == whole
    assert said({"type": "http.request", "body": whole})[1] == whole
    assert said({"type": "http.request"})[1] == b""
    assert said(part(whole[: size // 2]), part(whole[size // 2 :]), part(b"", is_last=True))[1] == whole
    assert said(part(whole), {"type": "http.request"}, content_encoding=" Identity ")[1] == whole


@pytest.mark.parametrize(
    ("messages", "headers", "left"),
    [
        ([part(bytes(LIMIT + 1), is_last=True)], {}, 0),
        ([part(bytes(LIMIT)), part(b"1"), part(b"", is_last=True)], {}, 1),
        ([part(b"", is_last=True)], {"content_length": str(LIMIT + 1)}, 1),
    ],
    ids=["whole", "in parts", "announced"],
)
def test_more_than_the_limit_is_refused_as_soon_as_it_is_known(
    messages: list[dict[str, Any]], headers: dict[str, str], left: int
) -> None:
    _, refused, unread = said(*messages, **headers)
    assert isinstance(refused, RequestError)
    assert (refused.status, refused.code, unread) == (413, "request_too_large", left)
    assert "larger than 1 MB" in str(refused)


def test_a_compressed_body_is_refused_and_so_is_half_of_one() -> None:
    _, refused, unread = said(part(b"", is_last=True), content_encoding="gzip")
    assert isinstance(refused, RequestError)
    assert (refused.status, refused.code, unread) == (415, "unsupported_encoding", 1)
    for messages in ([{"type": "http.disconnect"}], [part(b"1"), {"type": "http.disconnect"}]):
        exchange, refused, _ = said(*messages)
        assert isinstance(refused, RequestError)
        assert (refused.status, refused.code, exchange.is_gone) == (400, "incomplete_body", True)
