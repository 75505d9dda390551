"""The way out through a company's proxy, where the environment names one: HTTPS_PROXY, but for what NO_PROXY lists.

As every client of the providers reads it. Only https goes that way, in a tunnel of which the proxy sees no more than
the host: plain http is spoken to servers nearby.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

MAX_HEAD_BYTES = 16 << 10
PROXY_PORT = 80
NAMES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens, and the line by which it knows us."""

    host: str
    port: int
    credentials: str = field(default="", repr=False)

    def asking_for(self, host: str, port: int) -> bytes:
        """The request for a tunnel to a server."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n{self.credentials}\r\n".encode("latin-1")


def proxy_for(environ: Mapping[str, str], host: str, port: int) -> Proxy | None:
    """The proxy through which a server is reached by https, None where that is direct.

    Raises ValueError for one that is not reached by plain HTTP.
    """
    said = next((environ[name].strip() for name in NAMES if environ.get(name, "").strip()), "")
    listed = next((environ[name] for name in EXCEPTIONS if environ.get(name)), "")
    if not said or any(_covers(entry.strip().lower(), host.lower(), port) for entry in listed.split(",")):
        return None
    url = urlsplit(said if "://" in said else f"http://{said}")
    try:
        proxy_port = url.port or PROXY_PORT
    except ValueError:
        raise ValueError("the port of HTTPS_PROXY is none") from None
    if url.scheme != "http" or not url.hostname:
        raise ValueError("HTTPS_PROXY is not http:// and a host")
    credentials = ""
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        credentials = f"proxy-authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    return Proxy(url.hostname, proxy_port, credentials)


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY is a host, with or without a port, or a domain that it belongs to."""
    name, _, number = entry.rpartition(":")
    if name and number.isdecimal() and "]" not in number and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*.").lstrip(".")
    return entry == "*" or bool(entry and (host == entry or host.endswith(f".{entry}")))


class Tunnel(asyncio.Protocol):
    """A connection to a proxy until it has opened the way; `opened` raises OSError where it does not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, asking: bytes) -> None:
        self.opened: asyncio.Future[None] = loop.create_future()
        self._asking = asking
        self._head = b""

    def connection_made(self, transport: Any) -> None:
        transport.write(self._asking)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self.opened.done() or (b"\r\n\r\n" not in self._head and len(self._head) <= MAX_HEAD_BYTES):
            return
        status = self._head.split(b"\r\n", 1)[0].split(b" ")
        if len(status) > 1 and status[0].startswith(b"HTTP/1.") and status[1].startswith(b"2"):
            self.opened.set_result(None)
        else:
            said = status[1][:3].decode("latin-1") if len(status) > 1 else "no status"
            self.opened.set_exception(ConnectionError(0, f"the proxy answered with status {said}"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(0, "the proxy closed the connection"))
