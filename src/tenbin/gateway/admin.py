"""The admin port: metrics, state, resuming a profile that retreated, reloading. Never on the public port.

Loopback by default, where any page in a browser of this machine can send requests: hence the Host header must name
this machine (a rebound DNS name does not) and no request with an Origin is answered. With an admin key, which every
other address needs, each route but /health asks for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple, Protocol

import msgspec

from tenbin.config.gateway import GatewaySettings, is_loopback
from tenbin.errors import ConfigError, RequestError, TenbinError
from tenbin.gateway.address import hostname
from tenbin.gateway.exchange import Receive, Scope, Send
from tenbin.telemetry.metrics import Metrics
from tenbin.telemetry.redaction import Redactor

MAX_BODY_BYTES = 4096
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
PROFILE_PREFIX, RESUME_SUFFIX = "/profiles/", "/resume"


class Administered(Protocol):
    """What the admin port asks of the gateway: `state` without secrets; the others raise TenbinError to refuse.

    `resume` raises RequestError 404 for a profile that does not exist. `reload` blocks and runs in a thread.
    """

    def state(self) -> Mapping[str, Any]: ...
    def resume(self, profile: str) -> None: ...
    def reload(self) -> None: ...


class Answer(NamedTuple):
    """One whole answer; `allow` names the methods where the wrong one was used."""

    status: int
    body: bytes
    content_type: str = "application/json"
    allow: str | None = None


class Admin:
    """The admin port as an ASGI app; ConfigError for one beyond this machine without a key."""

    def __init__(
        self,
        gateway: Administered,
        metrics: Metrics,
        settings: GatewaySettings,
        *,
        admin_key: str | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        if admin_key is None and not is_loopback(settings.admin_host):
            fix = "listen on 127.0.0.1, or name the variable of an admin key in gateway.admin_key_env"
            raise ConfigError(f"the admin port on {settings.admin_host} has no key", fix=fix)
        self.gateway = gateway
        self.metrics = metrics
        self.redactor = redactor if redactor is not None else Redactor()
        self.hosts = None if _is_any(settings.admin_host) else LOOPBACK_NAMES | {settings.admin_host.lower()}
        self.log = logging.getLogger("tenbin.gateway.admin")
        self._key = None if admin_key is None else _digest(admin_key.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except TenbinError as refused:
            answer = self._refusal(refused)
        except Exception:
            self.log.exception("the admin port failed")
            answer = self._refusal(RequestError(500, "internal_error", "this is a bug in Tenbin; the log has more"))
        await _send(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        self._check_caller(scope)
        method, path = scope["method"], scope["path"]
        wanted = "GET" if path in ("/health", "/metrics", "/state") else "POST"
        profile = _resumed(path)
        if wanted == "POST" and path != "/reload" and profile is None:
            raise RequestError(404, "not_found", "there is no such admin route")
        if path != "/health":
            self._check_key(scope)
        if method != wanted:
            return self._refusal(RequestError(405, "method_not_allowed", f"use {wanted}"), allow=wanted)
        await _drain(receive)
        if profile is not None:
            self.gateway.resume(profile)
            return self._json({"profile": profile, "retreated": False})
        if path == "/reload":
            await asyncio.to_thread(self.gateway.reload)
            return self._json({"reloaded": True})
        if path == "/metrics":
            return Answer(200, *self.metrics.exposition(_header(scope, b"accept") or ""))
        return self._json({"status": "ok"} if path == "/health" else self.gateway.state())

    def _check_caller(self, scope: Scope) -> None:
        """Refuse what a browser sends for a page, and whoever calls this machine by a name that is not its own."""
        if any(name == b"origin" for name, _ in scope["headers"]):
            raise RequestError(403, "origin_refused", "the admin port answers no web page")
        host = hostname(_header(scope, b"host"))
        if host is None or (self.hosts is not None and host not in self.hosts):
            fix = f"use {', '.join(sorted(self.hosts))}" if self.hosts is not None else "send one Host header"
            raise RequestError(421, "host_refused", "the Host header does not name this machine", fix=fix)

    def _check_key(self, scope: Scope) -> None:
        if self._key is None:
            return
        scheme, _, shown = (_header(scope, b"authorization") or "").partition(" ")
        # Digests, so that the time of the comparison tells nothing, not even the length of the key.
        if scheme.lower() != "bearer" or not hmac.compare_digest(_digest(shown.strip().encode("latin-1")), self._key):
            raise RequestError(401, "invalid_admin_key", "the admin key is missing or wrong", fix="send it as Bearer")

    def _json(self, fields: Mapping[str, Any], status: int = 200) -> Answer:
        return Answer(status, msgspec.json.encode(self.redactor.value(fields)))

    def _refusal(self, error: TenbinError, allow: str | None = None) -> Answer:
        status, code = (error.status, error.code) if isinstance(error, RequestError) else (409, type(error).__name__)
        what = self.redactor.text(str(error))
        return self._json({"error": {"message": what, "code": code}}, status)._replace(allow=allow)


def _is_any(host: str) -> bool:
    """Whether this address stands for all of the machine's: under which name it is called cannot be known then."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _header(scope: Scope, name: bytes) -> str | None:
    """The value of a header that is there once, else None."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def _resumed(path: str) -> str | None:
    """The profile that a path asks to resume."""
    if not (path.startswith(PROFILE_PREFIX) and path.endswith(RESUME_SUFFIX)):
        return None
    return path[len(PROFILE_PREFIX) : -len(RESUME_SUFFIX)] or None


async def _drain(receive: Receive) -> None:
    """Read the body, which no route needs, up to a bound."""
    read = 0
    while True:
        event = await receive()
        read += len(event.get("body", b""))
        if read > MAX_BODY_BYTES:
            raise RequestError(413, "body_too_large", "the admin routes take no body")
        if event["type"] != "http.request" or not event.get("more_body", False):
            return


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if answer.allow is not None:
        headers.append((b"allow", answer.allow.encode()))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
