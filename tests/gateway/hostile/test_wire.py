"""On the wire: nothing that two readers could read in two ways, only listed headers, no way around a route."""

from __future__ import annotations

import json

import pytest

from tenbin.testing import Answer
from tests.gateway.hostile.guarded import CHAT, MESSAGES, Guarded, headers_in, said, status_of, talk

BODY = json.dumps(said()).encode()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def head(site: Guarded, *lines: bytes, method: bytes = b"POST", target: bytes = b"/v1/chat/completions") -> bytes:
    own = [method + b" " + target + b" HTTP/1.1", b"connection: close"]
    if not any(line.lower().startswith(b"host") for line in lines):
        own.append(b"host: localhost")
    if not any(line.lower().startswith(b"authorization") for line in lines):
        own.append(b"authorization: Bearer " + site.keys["main"].encode())
    return b"\r\n".join([*own, *lines]) + b"\r\n\r\n"


def whole(site: Guarded, *lines: bytes, target: bytes = b"/v1/chat/completions") -> bytes:
    return head(site, b"content-length: %d" % len(BODY), *lines, target=target) + BODY


@pytest.mark.parametrize(
    "lines",
    [
        [b"authorization: Bearer tb-a", b"authorization: Bearer tb-b"],
        [b"x-api-key: tb-a", b"x-api-key: tb-b"],
        [b"x-api-key: tb-another"],
        [b"content-length: 5"],
        [b"Content-Length: %d" % len(BODY)],
        [b"transfer-encoding: chunked"],
        [b"transfer-encoding: identity"],
        [b"transfer-encoding: xchunked"],
        [b"transfer-encoding:"],
        [b"host: a", b"host: b"],
        [b"content-type: application/json", b"content-type: text/plain"],
        [b"x-request-id: a", b" folded"],
        [b"x-request-id: a", b"\tfolded"],
        [b"x-request-id: a\x00b"],
        [b"x-request-id: a\x01b"],
        [b"x-request-id: a\rx-evil: 1"],
        [b"x-request-id: a\nx-evil: 1"],
        [b"tracestate: a=b\nx-evil: 1"],
        [b"tracestate: a=b\x7f"],
        [b"x-request-id : a"],
        [b": a"],
        [b"upgrade: websocket", b"connection: upgrade"],
        [b"upgrade: h2c", b"connection: upgrade"],
    ],
    ids=str,
)
def test_ambiguous_heads_are_refused(site: Guarded, lines: list[bytes]) -> None:
    answer = talk(site.gateway.port, whole(site, *lines))
    assert status_of(answer) == 400
    assert b"x-evil" not in answer
    assert site.ups.called() == []


@pytest.mark.parametrize(
    "body", [b"-5\r\n", b"fffffffffffffffff\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloX\r\n"]
)
def test_ambiguous_chunks_are_refused(site: Guarded, body: bytes) -> None:
    answer = talk(site.gateway.port, head(site, b"transfer-encoding: chunked") + body)
    assert status_of(answer) == 400
    assert site.ups.called() == []


def test_no_second_request_hides_in_the_first(site: Guarded) -> None:
    hidden = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n"
    for lines in ([b"upgrade: websocket", b"connection: upgrade"], [b"transfer-encoding: chunked"]):
        request = head(site, b"content-length: %d" % len(hidden), *lines)
        answer = talk(site.gateway.port, request, hidden)
        assert answer.count(b"HTTP/1.1 4") == 1
        assert status_of(answer) == 400
    trailer = b"%x;ext=1\r\n%s\r\n0\r\nauthorization: Bearer tb-other\r\nx-tenbin-mu: 1\r\n\r\n" % (len(BODY), BODY)
    assert status_of(talk(site.gateway.port, head(site, b"transfer-encoding: chunked") + trailer)) == 200
    assert len(site.ups.called()) == 1


@pytest.mark.parametrize(
    "name", ["x-request-id", "traceparent", "tracestate", "x-tenbin-model", "x-tenbin-decision-id", "x-tenbin-group"]
)
@pytest.mark.parametrize(
    "value", [b"a\xc4\x8d\xc4\x8aset-cookie: a=b", b"a%0d%0aset-cookie: a=b", b"\xff" * 30, b"a" * 9000]
)
def test_no_header_is_injected(site: Guarded, name: str, value: bytes) -> None:
    answer = talk(site.gateway.port, whole(site, name.encode() + b": " + value))
    shown = headers_in(answer)
    assert status_of(answer) in (200, 400)
    assert not set(shown) & {"set-cookie", "x-evil"}
    if status_of(answer) == 200:
        assert shown["x-tenbin-model"] in site.ups.dialects
        assert shown["x-tenbin-decision-id"].startswith("dec-0")
        (request,) = [r for fake in site.ups.fakes.values() for r in fake.requests]
        assert not set(request.headers) & {"set-cookie", "x-evil"}
        assert len(request.headers["x-request-id"]) <= 128


NEVER_UP = {
    "cookie": "session=planted",
    "x-api-key": "",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-host": "planted.example",
    "x-forwarded-proto": "https",
    "x-real-ip": "10.0.0.1",
    "forwarded": "for=10.0.0.1",
    "via": "1.1 planted",
    "proxy-authorization": "Basic planted",
    "proxy-connection": "keep-alive",
    "x-original-url": "/planted",
    "referer": "http://planted.example/",
    "origin": "http://planted.example",
    "te": "trailers",
    "expect": "planted",
    "x-http-method-override": "DELETE",
    "openai-organization": "planted",
    "openai-project": "planted",
    "x-goog-api-key": "planted",
    "api-key": "planted",
    "x-tenbin-group": "planted",
    "x-base-url": "http://planted.example",
    "helicone-auth": "Bearer planted",
    "accept-encoding": "gzip",
    "user-agent": "planted",
}
MAY_GO_UP = {
    *("host", "content-type", "content-length", "accept-encoding", "user-agent", "accept", "connection"),
    *("authorization", "x-api-key", "anthropic-version", "anthropic-beta", "openai-beta", "idempotency-key"),
    *("x-request-id", "traceparent", "tracestate", "baggage"),
}


@pytest.mark.parametrize(
    ("path", "model"), [(CHAT, "good"), (CHAT, "claude"), (MESSAGES, "claude"), (MESSAGES, "good")]
)
def test_only_listed_headers_go_up(site: Guarded, path: str, model: str) -> None:
    sent = {name.replace("-", "_"): value for name, value in NEVER_UP.items() if value}
    sent |= {"traceparent": TRACE, "anthropic_beta": "b", "openai_beta": "o", "idempotency_key": "i"}
    assert site.post(path, said(model=model), **sent).status == 200
    (request,) = site.ups[model].requests
    assert set(request.headers) <= MAY_GO_UP
    assert "planted" not in str(request.headers)
    assert "10.0.0.1" not in str(request.headers)
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    shown = request.headers["x-api-key"] if model == "claude" else request.headers["authorization"]
    assert shown.removeprefix("Bearer ") == f"zz-{model}-provider-secret-0123456789"
    assert ("anthropic-beta" in request.headers) == (model == "claude")


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_only_listed_headers_come_back(site: Guarded, status: int, is_stream: bool) -> None:
    planted = {
        "set-cookie": "provider=planted", "server": "planted", "x-powered-by": "planted", "location": "http://planted",
        "access-control-allow-origin": "*", "x-tenbin-model": "planted", "x-tenbin-decision-id": "planted",
        "www-authenticate": "planted", "alt-svc": "planted", "strict-transport-security": "planted",
        "x-accel-redirect": "/planted",
        "openai-organization": "planted", "connection-id": "planted", "retry-after": "7", "x-request-id": "req-theirs",
    }  # fmt: skip
    answer = Answer(headers=planted) if status == 200 else Answer(status=status, headers=planted)
    for fake in site.ups.fakes.values():
        fake.script = answer
    reply = site.post(CHAT, said(model="good", stream=is_stream))
    assert reply.status == status
    assert "planted" not in str(dict(reply.headers))
    assert "server" not in reply.headers
    assert (reply.headers["retry-after"], reply.headers["x-request-id"]) == ("7", "req-theirs")


@pytest.mark.parametrize(
    "target",
    (
        b"//v1/chat/completions /v1//chat/completions /V1/chat/completions /v1/chat/completions/"
        b" /v1/chat/completions;a /%2e%2e/state /v1/../state /v1/models/../../state"
        b" /v1/decisions/../../state /v1/decisions/..%2f..%2fstate /state /metrics /reload"
        b" /profiles/auto/resume /health/../state /admin/state http://127.0.0.1/state"
        b" http://localhost:8788/metrics * /v1/decisions/ /v1/decisions/%00 /v1/decisions/%ff"
        b" /v1/models/%2e%2e /v1/models/%0d%0aset-cookie:a /\\state /state%20 /v1/files //localhost/state"
        b" /v1/models%00"
    ).split(),
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_no_way_around_the_routes(site: Guarded, method: bytes, target: bytes) -> None:
    body = BODY if method == b"POST" else b""
    answer = talk(site.gateway.port, head(site, b"content-length: %d" % len(body), method=method, target=target) + body)
    assert status_of(answer) in (404, 405)
    assert "set-cookie" not in headers_in(answer)
    assert b"retreats" not in answer
    assert b"tenbin_" not in answer
    assert site.ups.called() == []


def test_a_path_in_other_letters_is_the_route_that_asks_for_the_key(site: Guarded) -> None:
    for target in (
        b"/v1/%63hat/completions",
        b"http://elsewhere/v1/chat/completions",
        b"/v1/chat/completions?key=tb-1",
    ):
        bare = whole(site, b"authorization: Bearer tb-wrong", target=target)
        assert status_of(talk(site.gateway.port, bare)) == 401
    assert site.ups.called() == []


@pytest.mark.parametrize(
    "target", [b"localhost:22", b"127.0.0.1:80", b"/v1/chat/completions", b"http://127.0.0.1/", b"*", b"[::1]:443"]
)
def test_connect_opens_no_tunnel(site: Guarded, target: bytes) -> None:
    answer = talk(site.gateway.port, head(site, method=b"CONNECT", target=target) + b"SSH-2.0-x\r\n")
    assert status_of(answer) in (400, 404, 405)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("lines", "target", "status"),
    [
        ([b"host: evil.example"], b"/state", 421),
        ([b"host: evil.example:8788"], b"/metrics", 421),
        ([b"host: 127.0.0.1.evil.example"], b"/state", 421),
        ([b"host: localhost", b"host: evil.example"], b"/state", 421),
        ([b"host: evil.example"], b"http://127.0.0.1/state", 421),
        ([b"origin: http://evil.example"], b"/state", 403),
        ([b"origin: null"], b"/metrics", 403),
        ([b"origin: http://localhost"], b"/reload", 403),
        ([], b"//state", 404),
        ([], b"/state/", 404),
        ([], b"/health/../state", 404),
        ([], b"/v1/models", 404),
        ([], b"/state", 200),
    ],
    ids=str,
)
def test_the_admin_port_answers_this_machine_only(
    site: Guarded, lines: list[bytes], target: bytes, status: int
) -> None:
    answer = talk(site.gateway.admin_port, head(site, *lines, method=b"GET", target=target))
    assert status_of(answer) == status


def test_the_admin_port_reloads_only_when_posted_to(site: Guarded) -> None:
    assert site.gateway.request("GET", "/reload", admin=True).status == 405
    assert site.gateway.request("POST", "/profiles/nobody/resume", admin=True).status == 404
    assert site.gateway.request("POST", "/profiles/..%2fauto/resume", admin=True).status == 404
