"""Planted secrets are nowhere: not in logs, errors, metrics, state, decisions, nor in any file of the store."""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenbin.testing import Answer
from tests.gateway.hostile.guarded import (
    CHAT,
    COUNT,
    DECISION,
    FEEDBACK,
    MESSAGES,
    RESPONSES,
    UPSTREAM_KEYS,
    Guarded,
    guarded,
    said,
)
from tests.gateway.running import Reply

ADMIN_KEY = "Zq3-planted-admin-secret-8Rt5vW1xY"
PROMPT = "planted-prompt-of-a-user-31415926"
ANSWER = "planted-answer-of-a-model-27182818"
WRONG_KEY = "tb-plantedwrongkey0123456789abcdef"
COOKIE = "planted-cookie-16180339"
BEGUN = {
    "good": b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n',
    "claude": b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"hi"}}\n\n',
}
"""Streams with their first content."""


class Canary:
    """A listener that nobody should ever call."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.callers: list[object] = []
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _wait(self) -> None:
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            self.callers.append(address)
            client.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    bird = Canary()
    yield bird
    bird.listener.shutdown(socket.SHUT_RDWR)
    bird.listener.close()


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
def test_no_field_names_another_upstream(site: Guarded, canary: Canary, path: str) -> None:
    url = canary.url
    fields = ("base_url", "api_base", "api_url", "endpoint", "url", "host", "proxy", "webhook", "callback_url")
    fields += ("custom_llm_provider", "provider", "deployment", "azure_endpoint", "router_url", "fallbacks")
    named = [
        url,
        f"{url}/v1",
        f"tenbin/{url}",
        f"good@{url}",
        f"//{url[7:]}",
        f"good?base_url={url}",
        "file:///etc/passwd",
    ]
    extra = {**dict.fromkeys(fields, url), "extra_body": {"api_base": url}, "extra_headers": {"host": url}}
    picture = [{"type": "image_url", "image_url": {"url": f"{url}/a.png"}}, {"type": "text", "text": url}]
    bodies = [said(model=name) for name in named]
    bodies += [
        said(**extra),
        said(tenbin={"base_url": url}),
        said(model="good", **extra),
        said(model="claude", **extra),
    ]
    bodies += [said(messages=[{"role": "user", "content": picture}])]
    if path == RESPONSES:
        goes_on = ({}, {"previous_response_id": url})
        bodies = [{**body, "input": "hello", **more} for body in bodies for more in goes_on]
    headers = dict.fromkeys(
        ("x_forwarded_host", "x_base_url", "x_api_base", "x_original_url", "x_tenbin_base_url"), url
    )
    for body in bodies:
        for sent in ({}, headers):
            reply = site.post(path, body, **sent)
            assert reply.status < 500
    assert canary.callers == []
    assert site.ups.called()


def test_no_redirect_is_followed(site: Guarded, canary: Canary) -> None:
    for status in (301, 302, 307, 308):
        for fake in site.ups.fakes.values():
            fake.script = Answer(status=status, headers={"location": canary.url}, body=b"")
        reply = site.post(CHAT, said(model="good"))
        assert reply.status == 502
        assert canary.url not in str(reply)
        site.reset()
    assert canary.callers == []


def everything(site: Guarded) -> list[Reply]:
    """Requests of all kinds, good and bad, with something planted wherever there is room."""
    replies = []
    planted = {"cookie": COOKIE, "x_forwarded_for": COOKIE}
    for model in ("tenbin/auto", "cheap", "good", "claude", f"no-{PROMPT}"):
        for path in (CHAT, MESSAGES):
            replies.append(site.post(path, said(PROMPT, model=model, user="somebody"), **planted))
            replies.append(site.post(path, said(PROMPT, model=model, stream=True), **planted))
    replies.append(site.post(RESPONSES, {"model": "good", "input": PROMPT}))
    replies.append(site.post(COUNT, said(PROMPT)))
    decided = site.post(DECISION, said(PROMPT, tenbin={"group": "a"}))
    replies += [decided, site.get(f"/v1/decisions/{decided.json['decision_id']}")]
    replies.append(site.post(FEEDBACK, {"decision_id": decided.json["decision_id"], "quality": 1, "source": "thumbs"}))
    replies.append(site.post(CHAT, b'{"model": "tenbin/auto", "messages": [' + PROMPT.encode()))
    replies.append(site.post(CHAT, said([{"type": "text", "text": {"deep": PROMPT}}])))  # type: ignore[arg-type]
    replies.append(site.gateway.post(CHAT, said(PROMPT), authorization=f"Bearer {WRONG_KEY}"))
    replies.append(site.gateway.post(CHAT, said(PROMPT), authorization=f"Bearer {WRONG_KEY}", x_api_key=ADMIN_KEY))
    return replies


def test_nothing_planted_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    environ = {**UPSTREAM_KEYS, "OPERATORS": ADMIN_KEY, "TENBIN_GATEWAY__LOG_LEVEL": "debug"}
    with guarded(
        tmp_path, gateway='keys = "required"\nmax_body_mb = 2\nadmin_key_env = "OPERATORS"', environ=environ
    ) as site:
        secrets = [*UPSTREAM_KEYS.values(), *site.keys.values(), ADMIN_KEY, WRONG_KEY, COOKIE]
        for fake in site.ups.fakes.values():
            fake.script = Answer(text=ANSWER)
        replies = everything(site)
        # An upstream that repeats our key in its refusal, as a whole body and in a page.
        for status in (400, 401, 403, 404, 429, 500):
            for name, fake in site.ups.fakes.items():
                key = UPSTREAM_KEYS[f"{name.upper()}_KEY"]
                fake.script = Answer(status=status, code="invalid_api_key", message=f"wrong key: {key} ({PROMPT})")
            site.gateway.gateway.services.breakers.__init__()  # type: ignore[misc]
            replies += [site.post(CHAT, said(model="good")), site.post(CHAT, said(model="claude"))]
            replies += [site.post(CHAT, said("hi", stream=True)), site.post(MESSAGES, said("hi"))]
        for fake in site.ups.fakes.values():
            fake.script = Answer(chunks=(b"data: {" + PROMPT.encode(),))
        replies.append(site.post(CHAT, said(model="good", stream=True)))
        admin = {"authorization": f"Bearer {ADMIN_KEY}"}
        for path in ("/state", "/metrics", "/nothing"):
            replies.append(site.gateway.request("GET", path, admin=True, **admin))
            replies.append(site.gateway.request("GET", path, admin=True, authorization=f"Bearer {WRONG_KEY}"))
        replies.append(site.gateway.request("POST", f"/profiles/{ADMIN_KEY}/resume", admin=True, **admin))
        decisions = [site.get(f"/v1/decisions/{call.decision_id}") for call in site.gateway.calls()]
    shown = b"".join(json.dumps(dict(reply.headers)).encode() + reply.body for reply in replies)
    kept = b"".join(path.read_bytes() for path in sorted(site.gateway.store.rglob("*")) if path.is_file())
    assert len(kept) > 10_000
    for secret in secrets:
        assert secret.encode() not in shown
        assert secret.encode() not in kept
        assert secret not in log.getvalue()
    for text in (PROMPT, ANSWER):
        assert text not in log.getvalue()
        assert text.encode() not in kept
        assert all(text.encode() not in reply.body for reply in decisions)
        metrics = b"".join(reply.body for reply in replies if b"# HELP" in reply.body)
        assert metrics
        assert text.encode() not in metrics


@pytest.mark.parametrize("model", ["good", "claude"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("place", ["whole", "first", "half-way"])
def test_no_error_inside_an_answer_of_status_200_tells_our_key(
    site: Guarded, model: str, path: str, place: str
) -> None:
    key = UPSTREAM_KEYS[f"{model.upper()}_KEY"]
    error = {"type": "error", "error": {"type": "authentication_error", "message": f"wrong key: {key}", "code": 401}}
    if place == "whole":
        answer = Answer(body=json.dumps(error).encode(), headers={"content-type": "application/json"})
    else:
        event = b"event: error\n" if model == "claude" else b""
        last = b"%sdata: %s\n\n" % (event, json.dumps(error).encode())
        stream = {"content-type": "text/event-stream"}
        answer = Answer(chunks=(BEGUN[model], last) if place == "half-way" else (last,), headers=stream)
        answer = replace(answer, chunk_gap_s=0.05)
    site.ups[model].script = answer
    reply = site.post(path, said(model=model, stream=place != "whole"))
    assert reply.status == (200 if place == "half-way" else 401)
    assert b"wrong key: " in reply.body
    assert key.encode() not in reply.body


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("is_stream", [False, True])
def test_no_header_of_an_upstream_tells_our_key(site: Guarded, status: int, is_stream: bool) -> None:
    key = UPSTREAM_KEYS["GOOD_KEY"]
    told = {"x-request-id": f"req-{key}", "x-ratelimit-key": key}
    site.ups["good"].script = Answer(status=status, headers=told)
    reply = site.post(CHAT, said(model="good", stream=is_stream))
    assert reply.status == status
    assert reply.headers["x-request-id"] == "req-[redacted]"
    assert reply.headers["x-ratelimit-key"] == "[redacted]"
