"""The head of a request: what never changes is formatted once, what the caller adds is checked and put behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenbin.upstream.destination import Dialect

ANTHROPIC_VERSION = "2023-06-01"
"""Sent where the caller names no other `anthropic-version`."""
OWN_HEADERS = frozenset(
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
MAX_NAMES = 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
VISIBLE = re.compile(r"[!-~]+")

Method = Literal["GET", "POST"]


class HeaderNames:
    """Names of callers' headers as they are sent; kept, for there are few and each request brings the same ones."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def sent(self, name: str) -> str:
        """In lower case; "" for one that a caller may not set. ValueError for what is no name."""
        known = self._sent.get(name)
        if known is not None:
            return known
        lower = name.lower()
        if not TOKEN.fullmatch(lower):
            raise ValueError("a header's name is not valid")
        if len(self._sent) >= MAX_NAMES:
            self._sent.clear()
        self._sent[name] = known = "" if lower in OWN_HEADERS else lower
        return known


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The constant part: `fixed` cannot be changed by a caller, `defaults` are lines by name that it may replace."""

    method: Method
    fixed: str = field(repr=False)
    defaults: Mapping[str, str]
    default_lines: str
    secret: str = field(repr=False)

    def filled(self, headers: Mapping[str, str], names: HeaderNames, length: int) -> bytes:
        """The whole head for a body of this length. ValueError for headers that cannot be sent."""
        lines = []
        defaults: Mapping[str, str] = self.defaults
        for name, value in headers.items():
            sent = names.sent(name)
            if sent:
                lines.append(f"{sent}: {value}\r\n")
                if sent in defaults:
                    defaults = {other: line for other, line in defaults.items() if other != sent}
        said = "".join(lines)
        if said.count("\n") != len(lines) or said.count("\r") != len(lines) or "\0" in said:
            raise ValueError("a header's value has a line break in it")
        own = self.default_lines if defaults is self.defaults else "".join(defaults.values())
        size = f"content-length: {length}\r\n" if self.method == "POST" else ""
        return f"{self.fixed}{own}{said}{size}\r\n".encode("latin-1")


def request_head(method: Method, host: str, target: str, dialect: Dialect, secret: str) -> RequestHead:
    """The constant part of all calls to one place with one key. ValueError for what cannot stand in a head."""
    if not VISIBLE.fullmatch(host) or not VISIBLE.fullmatch(target):
        raise ValueError("the address is not valid")
    if secret and not VISIBLE.fullmatch(secret):
        raise ValueError("the key is not valid")
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n"]
    defaults = {"user-agent": "user-agent: tenbin\r\n"}
    if method == "POST":
        defaults["content-type"] = "content-type: application/json\r\n"
    if dialect == "anthropic":
        defaults["anthropic-version"] = f"anthropic-version: {ANTHROPIC_VERSION}\r\n"
        if secret:
            lines.append(f"x-api-key: {secret}\r\n")
    elif secret:
        lines.append(f"authorization: Bearer {secret}\r\n")
    return RequestHead(method, "".join(lines), defaults, "".join(defaults.values()), secret)
