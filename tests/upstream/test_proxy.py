"""The way out through a proxy: when it is taken, and that the exchange is the same one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tenbin.upstream.proxy import Proxy, proxy_for
from tests.upstream.scripted import OK, PATIENT, call, client, failing, on_every_loop, replies, serving, to
from tests.upstream.test_tls import CERTIFICATE, as_server

HERE = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": " "}, None),
        ({"HTTP_PROXY": HERE}, None),
        ({"HTTPS_PROXY": HERE}, Proxy("proxy.test", 3128)),
        ({"https_proxy": HERE, "HTTPS_PROXY": "http://other"}, Proxy("proxy.test", 3128)),
        ({"ALL_PROXY": "proxy.test"}, Proxy("proxy.test", 80)),
        ({"HTTPS_PROXY": HERE, "NO_PROXY": "localhost, 10.0.0.1,.corp.test"}, Proxy("proxy.test", 3128)),
        ({"HTTPS_PROXY": HERE, "NO_PROXY": "api.openai.com:444"}, Proxy("proxy.test", 3128)),
        ({"HTTPS_PROXY": HERE, "NO_PROXY": "penai.com"}, Proxy("proxy.test", 3128)),
        *(
            ({"HTTPS_PROXY": HERE, "NO_PROXY": listed}, None)
            for listed in ("*", "x, API.openai.com ", "openai.com", ".openai.com", "*.openai.com", "openai.com:443")
        ),
        ({"HTTPS_PROXY": HERE, "no_proxy": "openai.com"}, None),
    ],
)
def test_what_the_environment_says(environ: dict[str, str], found: Proxy | None) -> None:
    assert proxy_for(environ, "api.openai.com", 443) == found


@pytest.mark.parametrize("listed", ["::1", "[::1]", "[::1]:443", "fe80::2,::1"])
def test_an_address_of_version_6_is_listed_with_or_without_brackets(listed: str) -> None:
    assert proxy_for({"HTTPS_PROXY": HERE, "NO_PROXY": listed}, "::1", 443) is None
    assert proxy_for({"HTTPS_PROXY": HERE, "NO_PROXY": listed}, "::2", 443) is not None


def test_a_password_is_sent_and_never_shown() -> None:
    found = proxy_for({"HTTPS_PROXY": "http://me:p%40ss@proxy.test:1"}, "::1", 443)
    assert found is not None
    assert found.asking_for("::1", 443).startswith(
        b"CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\nproxy-authorization"
    )
    assert b"Basic bWU6cEBzcw==\r\n\r\n" in found.asking_for("x", 443)
    assert "ss" not in repr(found)


@pytest.mark.parametrize("said", ["http://me:se/cret@proxy.test:1", "http://proxy.test:99999", "http://proxy.test:x"])
def test_a_port_that_is_none_is_told_without_what_stands_there(said: str) -> None:
    """Of a password with a slash in it the part before that was told as the port."""
    with pytest.raises(ValueError, match=r"^the port of HTTPS_PROXY is none$"):
        proxy_for({"HTTPS_PROXY": said}, "api.openai.com", 443)


@asynccontextmanager
async def proxy(answer: bytes, asked: list[bytes]) -> AsyncIterator[str]:
    """A proxy that gives this answer and, where it is a good one, opens the way."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if b" 200" not in answer:
            writer.close()
            return
        host, _, port = asked[-1].split(b" ")[1].decode().partition(":")
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


GOOD = b"HTTP/1.1 200 Connection established\r\nvia: 1.1 x\r\n\r\n"


def test_a_call_goes_through_and_its_connection_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    body = bytes(range(256)) * 5_000

    async def test() -> None:
        asked: list[bytes] = []
        async with (
            serving(replies(OK, OK), tls=as_server()) as server,
            proxy(GOOD, asked) as url,
            client({"HTTPS_PROXY": url}) as made,
        ):
            server.url = server.url.replace("127.0.0.1", "localhost")
            assert await (await call(made, server)).read(9) == b"{}"
            assert await (await call(made, server, body=body)).read(9) == b"{}"
            (line,) = server.lines
            assert line.body == body
            assert b"proxy-authorization" not in line.heads[0].lower().encode()
        assert len(asked) == 1
        assert asked[0].startswith(b"CONNECT localhost:")

    on_every_loop(test)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "status 407"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "status 502"),
        (b"nonsense\r\n\r\n", "no status"),
        (b"", "closed the connection"),
        (GOOD, "self-signed"),
    ],
)
def test_a_way_that_is_not_opened_is_told(answer: bytes, why: str) -> None:
    async def test() -> None:
        async with (
            serving(replies(OK), tls=as_server()) as server,
            proxy(answer, []) as url,
            client({"https_proxy": url}) as made,
        ):
            there = server.url.replace("127.0.0.1", "localhost")
            failure = await failing(made.send(to(there), "/x", b"{}", {}, PATIENT))
            assert (failure.kind, why in str(failure), "secret" in str(failure)) == ("connect", True, False)
            assert not any(line.heads for line in server.lines)

    on_every_loop(test)


def test_plain_http_goes_straight() -> None:
    async def test() -> None:
        async with serving(replies(OK)) as server, client({"HTTPS_PROXY": HERE, "ALL_PROXY": HERE}) as made:
            assert await (await call(made, server)).read(9) == b"{}"

    on_every_loop(test)


def test_a_proxy_that_is_not_reached_by_http_is_refused() -> None:
    async def test() -> None:
        async with client({"HTTPS_PROXY": "socks5://x:1"}) as made:
            failure = await failing(made.send(to("https://localhost/v1"), "/x", b"{}", {}, PATIENT))
            assert (failure.kind, "HTTPS_PROXY" in str(failure)) == ("connect", True)

    on_every_loop(test)
