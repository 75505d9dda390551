"""Calls over TLS: who is trusted, and that the exchange is the same one."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.upstream.scripted import OK, PATIENT, call, client, drained, failing, on_every_loop, replies, serving, to

CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""For localhost, signed by itself, with its key."""


def as_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_a_trusted_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    body = bytes(range(256)) * 5_000

    async def test() -> None:
        async with serving(replies(OK, OK, OK), tls=as_server()) as server, client() as made:
            server.url = server.url.replace("127.0.0.1", "localhost")
            assert await (await call(made, server)).read(9) == b"{}"
            assert await drained(await call(made, server)) == b"{}"
            assert await (await call(made, server, body=body)).read(9) == b"{}"
            (line,) = server.lines  # one handshake for all of them
            assert line.body == body
            assert line.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"

    on_every_loop(test)


@pytest.mark.parametrize(("trusted", "host"), [(False, "localhost"), (True, "127.0.0.1")])
def test_an_untrusted_certificate(trusted: bool, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def test() -> None:
        async with serving(replies(OK), tls=as_server()) as server, client() as made:
            url = server.url.replace("127.0.0.1", host)
            failure = await failing(made.send(to(url), "/x", b"{}", {}, PATIENT))
            assert failure.kind == "connect"
            assert ("self-signed" if not trusted else "127.0.0.1") in str(failure)
            assert not any(line.heads for line in server.lines)

    on_every_loop(test)
