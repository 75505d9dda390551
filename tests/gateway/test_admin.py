"""The admin port over a real socket, asked as curl, a browser, a rebound name and a scraper would."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tenbin.config.gateway import GatewaySettings
from tenbin.errors import ConfigError, RequestError
from tenbin.gateway.admin import MAX_BODY_BYTES, Admin
from tenbin.telemetry.metrics import Metrics
from tenbin.telemetry.redaction import Redactor
from tenbin.upstream.answer_headers import REDACTED

KEY = "an-admin-key-of-31-characters-x"
SECRET = "sk-planted-0123456789abcdef"  # noqa: S105


class Administered:
    """A gateway of one profile that has retreated, whose state holds a secret by mistake."""

    def __init__(self) -> None:
        self.retreated = {"auto": True, "a/b": True}
        self.broken = False
        self.reloads = 0

    def state(self) -> Mapping[str, Any]:
        if self.broken:
            raise ZeroDivisionError(SECRET)
        return {"profiles": {"auto": {"retreated": True}}, "slip": f"key {SECRET}", "mean": float("nan"), "input": 3}

    def resume(self, profile: str) -> None:
        if profile not in self.retreated:
            raise RequestError(404, "unknown_profile", f'there is no profile "{profile}"')
        self.retreated[profile] = False

    def reload(self) -> None:
        if self.broken:
            raise ConfigError(f"api_key {SECRET} looks like a secret key", where="tenbin.toml")
        self.reloads += 1


class Caller:
    """Asks the admin port; `headers` replace the usual Host."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"host": f"localhost:{self.port}", **(headers or {})}.items():
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def listening(admin: Admin) -> Iterator[Caller]:
    server = uvicorn.Server(uvicorn.Config(admin, lifespan="off", log_config=None, ws="none"))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.001)
        try:
            yield Caller(bound.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def gateway() -> Administered:
    return Administered()


@pytest.fixture(scope="module")
def ask(gateway: Administered) -> Iterator[Caller]:
    with listening(Admin(gateway, Metrics(), GatewaySettings(), redactor=Redactor())) as caller:
        yield caller


@pytest.fixture(scope="module")
def ask_with_key(gateway: Administered) -> Iterator[Caller]:
    with listening(Admin(gateway, Metrics(), GatewaySettings(admin_host="0.0.0.0"), admin_key=KEY)) as caller:  # noqa: S104
        yield caller


def code_of(body: bytes) -> str:
    code: str = json.loads(body)["error"]["code"]
    return code


def test_metrics_are_scraped(ask: Caller) -> None:
    status, headers, body = ask("GET", "/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    assert b"tenbin_in_flight_requests 0.0" in body
    _, headers, _ = ask("GET", "/metrics", {"accept": "application/openmetrics-text; version=1.0.0"})
    assert headers["content-type"].startswith("application/openmetrics-text")


def test_the_state_is_json_without_secrets(ask: Caller) -> None:
    status, headers, body = ask("GET", "/state")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "no-store")
    assert json.loads(body) == {
        "profiles": {"auto": {"retreated": True}},
        "slip": f"key {REDACTED}",
        "mean": None,
        "input": 3,
    }


@pytest.mark.parametrize(("path", "profile"), [("/profiles/auto/resume", "auto"), ("/profiles/a%2Fb/resume", "a/b")])
def test_a_profile_is_resumed(ask: Caller, gateway: Administered, path: str, profile: str) -> None:
    gateway.retreated[profile] = True
    assert ask("POST", path)[0] == 200
    assert gateway.retreated[profile] is False


def test_an_unknown_profile_is_named(ask: Caller) -> None:
    status, _, body = ask("POST", "/profiles/nobody/resume")
    assert (status, code_of(body)) == (404, "unknown_profile")
    assert "nobody" in json.loads(body)["error"]["message"]


def test_a_reload_is_done_or_refused_with_its_reason(ask: Caller, gateway: Administered) -> None:
    before = gateway.reloads
    assert ask("POST", "/reload")[0] == 200
    assert gateway.reloads == before + 1
    gateway.broken = True
    try:
        status, _, body = ask("POST", "/reload")
        assert (status, code_of(body)) == (409, "ConfigError")
        assert SECRET not in body.decode()
        status, _, body = ask("GET", "/state")
        assert (status, code_of(body)) == (500, "internal_error")
        assert SECRET not in body.decode()
    finally:
        gateway.broken = False


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/chat/completions",
        "/metrics/",
        "//metrics",
        "/state/../metrics",
        "/profiles//resume",
        "/profiles/x",
        "/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_is_not_found(ask: Caller, method: str, path: str) -> None:
    assert ask(method, path)[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/metrics", "GET"),
        ("DELETE", "/state", "GET"),
        ("GET", "/reload", "POST"),
        ("OPTIONS", "/state", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(ask: Caller, method: str, path: str, allow: str) -> None:
    status, headers, _ = ask(method, path)
    assert (status, headers["allow"]) == (405, allow)
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8788", "localhost.evil.example", "127.0.0.1.nip.io", ""]
)
@pytest.mark.parametrize("path", ["/metrics", "/state", "/health", "/reload"])
def test_a_rebound_name_is_refused(ask: Caller, host: str, path: str) -> None:
    status, _, body = ask("POST" if path == "/reload" else "GET", path, {"host": host})
    assert (status, code_of(body)) == (421, "host_refused")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8788", "[::1]:8788", "[::1]"])
def test_the_names_of_this_machine_are_answered(ask: Caller, host: str) -> None:
    assert ask("GET", "/health", {"host": host})[0] == 200


@pytest.mark.parametrize("origin", ["http://localhost:8788", "https://evil.example", "null"])
def test_a_web_page_is_refused(ask: Caller, gateway: Administered, origin: str) -> None:
    before = gateway.reloads
    status, _, body = ask("POST", "/reload", {"origin": origin})
    assert (status, code_of(body), gateway.reloads) == (403, "origin_refused", before)


def test_a_body_is_not_read_without_end(ask: Caller) -> None:
    assert ask("POST", "/reload", body=b"x" * MAX_BODY_BYTES)[0] == 200
    assert ask("POST", "/reload", body=b"x" * (MAX_BODY_BYTES + 1))[0] == 413


@pytest.mark.parametrize("path", ["/metrics", "/%6detrics", "/state"])
@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer ä"]
)
def test_every_route_asks_for_the_key(ask_with_key: Caller, path: str, shown: str | None) -> None:
    status, headers, body = ask_with_key("GET", path, {} if shown is None else {"authorization": shown})
    assert (status, code_of(body), headers["www-authenticate"]) == (401, "invalid_admin_key", "Bearer")
    assert KEY not in body.decode()


def test_the_key_opens_and_health_needs_none(ask_with_key: Caller) -> None:
    assert ask_with_key("GET", "/metrics", {"authorization": f"Bearer {KEY}", "host": "tenbin:8788"})[0] == 200
    assert ask_with_key("GET", "/health")[0] == 200


def test_a_port_beyond_this_machine_needs_a_key(gateway: Administered) -> None:
    with pytest.raises(ConfigError, match="no key"):
        Admin(gateway, Metrics(), GatewaySettings(admin_host="10.0.0.1"))
