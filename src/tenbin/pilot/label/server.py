"""The label page's own small server: this machine only, for who holds the token, one person at a time."""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from tenbin.errors import StoreError, UsageError
from tenbin.pilot.label.session import Session

HOST = "127.0.0.1"
MOST_BODY_BYTES = 32 << 10
PATIENCE_S = 20.0
HEADERS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page sends: the step chosen, and a note."""

    step: int
    note: str = ""


class LabelServer(ThreadingHTTPServer):
    """Serves one session at `url` until `shutdown`, or until the page says that it has finished (StoreError)."""

    daemon_threads = True

    def __init__(self, session: Session, page: str, port: int = 0) -> None:
        self.session = session
        self.page = page.encode("utf-8")
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            what = f"port {port} cannot be used ({getattr(error, 'strerror', None) or error})"
            raise UsageError(what, fix="leave --port out, or give a free one") from error

    @property
    def url(self) -> str:
        """Where the page is; whoever knows this may label."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    """One request. Unknown hosts, origins and tokens learn nothing but that."""

    server: LabelServer
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def version_string(self) -> str:
        return "Tenbin"

    def log_message(self, format: str, *args: Any) -> None:
        """The address holds the token: it is not written anywhere."""

    def do_GET(self) -> None:
        parts = self._parts()
        if parts == [""]:
            self._send(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
        elif parts == ["state"]:
            self._send_json(self.server.session.state())
        elif parts is not None and (k := self._item(parts)) is not None:
            self._send_json(self.server.session.view(k))
        elif parts is not None:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        parts = self._parts()
        if parts is None or (body := self._body()) is None:
            return
        if parts == ["finish"]:
            self._send_json({})
            self.server.shutdown()
        elif (k := self._item(parts)) is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            self._label(k, body)

    def _label(self, k: int, body: bytes) -> None:
        try:
            said = msgspec.json.decode(body, type=Said)
            self.server.session.label(k, said.step, said.note)
        except (msgspec.MsgspecError, UnicodeDecodeError, UsageError):
            self._refuse(HTTPStatus.BAD_REQUEST)
        except StoreError as error:
            self._send_json({"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            self._send_json(self.server.session.state())

    def _parts(self) -> list[str] | None:
        """The path behind the token, or None after a refusal."""
        port = self.server.server_address[1]
        hosts = (f"{HOST}:{port}", f"localhost:{port}")
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
        own = origin is None or origin in [f"http://{host}" for host in hosts]
        if self.headers.get("Host") not in hosts or not own or site in ("cross-site", "same-site"):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        behind = f"/{self.server.token}/"
        if not hmac.compare_digest(self.path[: len(behind)].encode("utf-8", "replace"), behind.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return None
        return self.path[len(behind) :].split("/")

    def _item(self, parts: list[str]) -> int | None:
        known = len(parts) == 2 and parts[0] == "answer" and parts[1].isascii() and parts[1].isdigit()
        if not known or len(parts[1]) > 9:
            return None
        k = int(parts[1])
        return k if k < len(self.server.session.items) else None

    def _body(self) -> bytes | None:
        """The body of a request that came from the page, or None after a refusal."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Content-Type") != "application/json" or self.headers.get("Origin") is None:
            self._refuse(HTTPStatus.FORBIDDEN)
        elif not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MOST_BODY_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            return self.rfile.read(int(length))
        return None

    def _send_json(self, document: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, msgspec.json.encode(document), "application/json")

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(status, status.phrase.encode() + b"\n", "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        for name, value in HEADERS:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
