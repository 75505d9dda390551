"""One exchange: headers by name, and a body that is bounded however it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tenbin.errors import RequestError
from tenbin.gateway.exchange import HAS_LEFT, ONCE, WHEN_LEFT, Exchange, headers_of

LIMIT = 2**20


def said(*messages: MutableMapping[str, Any], **headers: str) -> tuple[Exchange, bytes | RequestError, int]:
    """The exchange, its body or the refusal of it, and how many messages were left."""
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
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
    for announced in (str(LIMIT), "none", "²", ""):  # what is no length is for the parser in front to refuse
        assert said(part(whole, is_last=True), content_length=announced, content_encoding="")[1] == whole


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


def answering() -> tuple[Exchange, list[MutableMapping[str, Any]]]:
    """An exchange, and what it sends."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nothing is read here")

    return Exchange({"type": "http", "method": "GET", "path": "/v1/models", "headers": []}, receive, send), sent


def test_an_answer_goes_out_whole_or_in_parts_and_says_when_it_is_over() -> None:
    async def work() -> None:
        whole, sent = answering()
        assert (whole.path, whole.has_begun, whole.is_over, dict(whole.headers)) == ("/v1/models", False, False, {})
        await whole.answer(201, b"{}", [(b"a", b"1")])
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2"), (b"a", b"1")]
        assert sent == [
            {"type": "http.response.start", "status": 201, "headers": headers},
            {"type": "http.response.body", "body": b"{}"},
        ]
        assert (whole.has_begun, whole.is_over) == (True, True)
        parts, sent = answering()
        await parts.begin(200, headers)
        await parts.chunk(b"1")
        assert (parts.has_begun, parts.is_over) == (True, False)
        await parts.end(b"2")
        assert sent == [
            {"type": "http.response.start", "status": 200, "headers": headers},
            {"type": "http.response.body", "body": b"1", "more_body": True},
            {"type": "http.response.body", "body": b"2"},
        ]
        assert parts.is_over
        await parts.end()
        assert sent[-1] == {"type": "http.response.body", "body": b""}

    asyncio.run(work())


@pytest.mark.parametrize("leaves", ["before", "meanwhile", "once it is over", "when nobody minds"])
def test_who_leaves_before_the_answer_is_over_ends_the_task_that_makes_it(leaves: str) -> None:
    async def work() -> tuple[bool, bool]:
        exchange, _ = answering()
        task = asyncio.create_task(asyncio.Event().wait())
        await asyncio.sleep(0)
        if leaves == "before":
            exchange.scope[HAS_LEFT] = True
        exchange.when_left(task)
        if leaves == "once it is over":
            await exchange.end()
        if leaves == "when nobody minds":
            exchange.scope[HAS_LEFT] = True
            exchange.when_left(None)
            assert exchange.scope[WHEN_LEFT] is None
        elif leaves != "before":
            exchange.scope[WHEN_LEFT]()
        await asyncio.sleep(0)
        was_ended = task.cancelled()
        task.cancel()
        return was_ended, exchange.is_gone

    ends = leaves in ("before", "meanwhile")
    assert asyncio.run(work()) == (ends, ends)
