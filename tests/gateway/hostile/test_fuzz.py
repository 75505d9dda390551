"""Whatever bytes come in: an answer in the right shape, never a 500, never a traceback, and the loop goes on."""

from __future__ import annotations

import copy
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.hostile.guarded import CHAT, FEEDBACK, MESSAGES, POSTS, RESPONSES, Guarded, refused, status_of, talk
from tests.gateway.running import PATIENCE_S, Reply

FUZZ = settings(
    max_examples=80,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**20, 10**400, -1, 0, 2**63, 1e308, -0.0])
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["user", "tool", "tenbin/auto", "good", "claude", "text", "\ud800", "\x00", "http://x", "dec-1"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
VALID: dict[str, dict[str, Any]] = {
    CHAT: {
        "model": "tenbin/auto",
        "messages": [
            {"role": "developer", "content": "be brief"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "7"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
        "max_completion_tokens": 50,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "low",
        "tool_choice": "auto",
        "stop": ["a"],
        "temperature": 0.5,
        "tenbin": {"mu": 0.5, "allow": ["cheap", "good", "claude"], "deny": ["cheap"], "group": "g"},
    },
    MESSAGES: {
        "model": "tenbin/auto",
        "max_tokens": 50,
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "7"}]}],
            },
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "u"},
        "stop_sequences": ["a"],
    },
    RESPONSES: {
        "model": "good",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "look"}]}],
        "instructions": "be brief",
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "text"}},
        "previous_response_id": "resp_1",
    },
    FEEDBACK: {"decision_id": "dec-1", "quality": 0.5, "source": "thumbs"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, path: str) -> bytes:
    """A valid body with one to three of its values replaced, removed, doubled or wrapped."""
    body = copy.deepcopy(VALID[path])
    if path in (CHAT, MESSAGES):
        body["model"] = draw(st.sampled_from(["tenbin/auto", "tenbin/auto", "good", "claude"]))
        body["stream"] = draw(st.booleans())
        if draw(st.booleans()):
            body.pop("tenbin", None)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(body))))
        holder = body
        for step in way:
            holder = holder[step]
        change = draw(st.integers(0, 3))
        if change == 0:
            holder[last] = draw(JSON)
        elif change == 1:
            del holder[last]
        elif change == 2:
            holder[last] = [holder[last], holder[last]]
        else:
            holder[last] = {"text": holder[last]}
        if not body:
            break
    return json.dumps(body).encode()


def check(site: Guarded, path: str, reply: Reply) -> None:
    """Whatever was sent: a status that says whose fault it is, and JSON or a stream of it."""
    if reply.status == 200:
        return
    if b"the script failed" in reply.body:
        return  # the fake upstream's own answer to what it cannot read
    assert 400 <= reply.status < 500, reply
    assert reply.status not in (401, 429), reply
    if "x-tenbin-decision-id" not in reply.headers:
        refused(path, reply)
    else:
        assert "error" in json.loads(reply.body)
    assert site.get("/health").status == 200


@pytest.mark.parametrize("path", POSTS)
@FUZZ
@given(body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
def test_arbitrary_bodies(site: Guarded, path: str, body: bytes) -> None:
    reply = site.post(path, body)
    check(site, path, reply)
    assert reply.status != 200


@pytest.mark.parametrize("path", VALID)
@FUZZ
@given(data=st.data())
def test_mutated_bodies(site: Guarded, path: str, data: st.DataObject) -> None:
    site.reset()
    reply = site.post(path, data.draw(mutated(path)))
    check(site, path, reply)


@pytest.mark.parametrize("path", VALID)
@FUZZ
@given(data=st.data())
def test_valid_bodies_with_bytes_changed(site: Guarded, path: str, data: st.DataObject) -> None:
    site.reset()
    body = bytearray(json.dumps(VALID[path]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(site, path, site.post(path, bytes(body)))


@FUZZ
@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
)
def test_arbitrary_paths(site: Guarded, target: str, method: str) -> None:
    answer = talk(
        site.gateway.port, f"{method} /{target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
    )
    assert status_of(answer) in (400, 401, 404, 405)


@FUZZ
@given(noise=st.binary(min_size=1, max_size=120))
def test_arbitrary_bytes_on_the_wire(site: Guarded, noise: bytes) -> None:
    for head in (b"", b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"):
        answer = talk(site.gateway.port, head + noise + b"\r\n\r\n")
        assert not answer or 400 <= status_of(answer) < 500 or b"HTTP/1.1 100 Continue" in answer
    assert site.ups.called() == []


@FUZZ
@given(
    value=st.binary(max_size=60),
    name=st.sampled_from(
        [
            "x-tenbin-mu",
            "x-tenbin-allow",
            "x-tenbin-group",
            "traceparent",
            "tracestate",
            "x-request-id",
            "content-type",
            "content-encoding",
            "idempotency-key",
            "baggage",
            "anthropic-beta",
            "x-api-key",
            "accept",
            "content-length",
        ]
    ),
)
def test_arbitrary_header_values(site: Guarded, name: str, value: bytes) -> None:
    site.reset()
    body = json.dumps({"model": "tenbin/auto", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = [b"POST /v1/chat/completions HTTP/1.1", b"host: localhost", b"connection: close"]
    head += [b"authorization: Bearer " + site.keys["main"].encode(), name.encode() + b": " + value]
    if name != "content-length":
        head.append(b"content-length: %d" % len(body))
    answer = talk(site.gateway.port, b"\r\n".join(head) + b"\r\n\r\n" + body)
    assert not answer or status_of(answer) < 500
    for fake in site.ups.fakes.values():
        for request in fake.requests:
            assert json.loads(request.body)["messages"] == [{"role": "user", "content": "hi"}]


def test_a_long_connection_outlives_many_refusals(site: Guarded) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.gateway.port, timeout=PATIENCE_S)
    for i in range(100):
        connection.request("POST", POSTS[i % len(POSTS)], b"{", site.bearer())
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 400
    connection.request(
        "POST", CHAT, json.dumps({"model": "good", "messages": [{"role": "user", "content": "a"}]}), site.bearer()
    )
    assert connection.getresponse().status == 200
    connection.close()
