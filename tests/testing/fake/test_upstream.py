"""The fake upstream answers correctly by default, remembers what it saw, and breaks exactly as scripted."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from tenbin.errors import NetworkError
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest

CHAT = {"model": "small", "messages": [{"role": "user", "content": "Name three colours of the sky."}]}


def connect(upstream: FakeUpstream, timeout_s: float = 5.0) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", urlsplit(upstream.origin).port, timeout=timeout_s)


def post(
    upstream: FakeUpstream, body: Any = CHAT, path: str = "/v1/chat/completions"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = connect(upstream)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, sent, {"content-type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def data_of(stream: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def test_it_answers_and_remembers() -> None:
    with FakeUpstream() as upstream:
        reply, content = post(upstream)
        (request,) = upstream.wait_for(1)
        upstream.wait_answered(request)
    answer = json.loads(content)
    assert reply.status == 200
    assert answer["choices"][0]["message"]["content"] == "small was asked: Name three colours of the sky."
    assert answer["usage"] == {
        **answer["usage"],
        "prompt_tokens": 8,
        "completion_tokens": 9,
        "total_tokens": 17,
    }
    assert (request.method, request.path, request.json) == ("POST", "/v1/chat/completions", CHAT)
    assert request.headers["content-type"] == "application/json"
    assert request.model == "small"
    assert not request.is_streaming
    assert not request.was_closed


def test_a_stream_says_the_same_and_its_usage_only_when_asked() -> None:
    with FakeUpstream() as upstream:
        _, whole = post(upstream)
        reply, plain = post(upstream, CHAT | {"stream": True})
        _, counted = post(upstream, CHAT | {"stream": True, "stream_options": {"include_usage": True}})
    assert reply.getheader("content-type", "").startswith("text/event-stream")
    assert plain.endswith(b"data: [DONE]\n\n")
    words = [frame["choices"][0]["delta"].get("content") or "" for frame in data_of(plain)]
    assert "".join(words) == json.loads(whole)["choices"][0]["message"]["content"]
    assert all("usage" not in frame for frame in data_of(plain))
    *others, last = data_of(counted)
    assert all(frame["usage"] is None for frame in others)
    assert last["choices"] == []
    assert last["usage"] == json.loads(whole)["usage"]


def test_what_is_asked_for_shapes_the_answer() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"enum": ["a", "b"]}}}
    tool = {"type": "function", "function": {"name": "look_up", "parameters": schema}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with FakeUpstream() as upstream:

        def message(**members: Any) -> Any:
            choices = json.loads(post(upstream, CHAT | members)[1])["choices"]
            return choices[-1]

        assert message(max_tokens=2)["finish_reason"] == "length"
        assert message(max_tokens=2)["message"]["content"] == "small was "
        assert message(n=3)["index"] == 2
        assert json.loads(message(response_format={"type": "json_object"})["message"]["content"])["model"] == "small"
        assert json.loads(message(response_format=form)["message"]["content"]) == {"n": 1, "s": "a"}
        assert message(tools=[tool])["finish_reason"] == "stop"
        called = message(tools=[tool], tool_choice="required")
        assert called["finish_reason"] == "tool_calls"
        assert called["message"]["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"n":1,"s":"a"}'}
        custom = {"type": "custom", "custom": {"name": "shell"}}
        named = message(tools=[tool, custom], tool_choice=custom)
        assert named["message"]["tool_calls"][0]["custom"]["name"] == "shell"
        assert len(message(logprobs=True, top_logprobs=1)["logprobs"]["content"]) == 9


def test_other_paths_and_bodies_are_refused_in_the_dialect() -> None:
    with FakeUpstream(models=("a", "b")) as upstream:
        assert post(upstream, b"{")[0].status == 400
        assert post(upstream, CHAT, "/v1/nothing")[0].status == 404
        reply, content = post(upstream, b"[]", "/v1/messages")
        assert json.loads(content)["type"] == "error"
        connection = connect(upstream)
        connection.request("GET", "/v1/models")
        names = [model["id"] for model in json.loads(connection.getresponse().read())["data"]]
        connection.close()
    assert reply.status == 400
    assert names == ["a", "b"]


def test_a_script_is_one_answer_or_a_sequence_or_a_function() -> None:
    def by_model(request: UpstreamRequest) -> Answer | None:
        return Answer.error(503) if request.model == "small" else None

    def failing(request: UpstreamRequest) -> Answer | None:
        raise ZeroDivisionError("what a test got wrong")

    with FakeUpstream([Answer.error(500), Answer.error(429, retry_after=2)]) as upstream:
        first, second, third = post(upstream)[0], post(upstream)[0], post(upstream)[0]
        assert (first.status, second.status, third.status) == (500, 429, 200)
        assert second.getheader("retry-after") == "2"
        upstream.script = Answer.error(503)
        assert [post(upstream)[0].status for _ in range(3)] == [503] * 3
        upstream.script = [Answer(status=201)]
        assert [post(upstream)[0].status for _ in range(2)] == [201, 200]
        upstream.script = by_model
        assert post(upstream)[0].status == 503
        assert post(upstream, CHAT | {"model": "large"})[0].status == 200
        upstream.script = failing
        reply, content = post(upstream)
        assert reply.status == 500
        assert b"ZeroDivisionError" in content


def test_errors_are_worded_as_each_provider_words_them() -> None:
    with FakeUpstream(Answer.context_length_exceeded()) as upstream:
        openai = json.loads(post(upstream)[1])["error"]
        anthropic = json.loads(post(upstream, CHAT, "/v1/messages")[1])["error"]
    assert (openai["code"], openai["param"]) == ("context_length_exceeded", "messages")
    assert anthropic["type"] == "invalid_request_error"
    assert "prompt is too long" in anthropic["message"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer.reset(), ConnectionResetError),
        (Answer.close(), http.client.RemoteDisconnected),
        (Answer.malformed_http(), http.client.BadStatusLine),
        (Answer.cut_stream(5), http.client.IncompleteRead),
    ],
)
def test_connections_end_as_scripted(answer: Answer, error: type[Exception]) -> None:
    with FakeUpstream(answer) as upstream:
        with pytest.raises(error) as caught:
            post(upstream)
        assert type(caught.value) is error


def test_a_stream_is_cut_at_any_byte() -> None:
    asked = CHAT | {"stream": True, "max_tokens": 2}
    with FakeUpstream() as upstream:
        _, whole = post(upstream, asked)
        for at in range(len(whole) + 1):
            upstream.script = Answer.cut_stream(at)
            with pytest.raises(http.client.IncompleteRead) as caught:
                post(upstream, asked)
            number = b"chatcmpl-fake%06d" % upstream.received_count
            assert caught.value.partial == whole.replace(b"chatcmpl-fake000001", number)[:at]


def test_an_error_event_in_a_stream() -> None:
    asked = CHAT | {"stream": True, "max_tokens": 9}
    with FakeUpstream(Answer.error_in_stream(after_chunks=2)) as upstream:
        chat = data_of(post(upstream, asked)[1])
        messages = data_of(post(upstream, asked, "/v1/messages")[1])
    assert [("error" in frame) for frame in chat] == [False, False, True]
    assert [frame["type"] for frame in messages] == ["message_start", "ping", "error"]


def test_bodies_of_all_kinds() -> None:
    with FakeUpstream(Answer.html()) as upstream:
        reply, content = post(upstream)
        assert (reply.status, reply.getheader("content-type")) == (500, "text/html; charset=utf-8")
        assert content.startswith(b"<html>")
        upstream.script = Answer.wrong_type()
        reply, content = post(upstream)
        assert reply.getheader("content-type") == "text/plain"
        assert json.loads(content)["object"] == "chat.completion"
        upstream.script = Answer.malformed_json()
        with pytest.raises(json.JSONDecodeError):
            json.loads(post(upstream)[1])
        upstream.script = Answer.huge(2_000_000)
        assert len(json.loads(post(upstream)[1])["choices"][0]["message"]["content"]) == 2_000_000
        upstream.script = Answer.content_filter()
        assert json.loads(post(upstream)[1])["choices"][0]["finish_reason"] == "content_filter"
        upstream.script = Answer.gzipped()
        reply, content = post(upstream)
        assert reply.getheader("content-encoding") == "gzip"
        assert json.loads(gzip.decompress(content))["model"] == "small"
        upstream.script = Answer(chunks=(b"a", b"bc"), status=202, headers={"X-Own": "1"})
        reply, content = post(upstream)
        assert (reply.status, reply.getheader("x-own"), content) == (202, "1", b"abc")


def test_dripping_changes_no_byte() -> None:
    with FakeUpstream() as upstream:
        for asked in (CHAT, CHAT | {"stream": True}):
            upstream.script = None
            _, at_once = post(upstream, asked)
            upstream.script = Answer.drip(7)
            _, dripped = post(upstream, asked)
            before, now = (b"fake%06d" % (upstream.received_count - back) for back in (1, 0))
            assert dripped == at_once.replace(before, now)


def test_delays_are_kept() -> None:
    with FakeUpstream(first_token_s=0.02, tokens_per_s=500, answer_tokens=5) as upstream:
        (whole_s, (_, whole)), (stream_s, (_, stream)) = timed(upstream, CHAT), timed(upstream, CHAT | {"stream": True})
        assert json.loads(whole)["usage"]["completion_tokens"] == 5
        assert whole_s >= 0.02 + 5 / 500
        assert len(data_of(stream)) == 7
        assert stream_s >= 0.02 + 7 / 500


def timed(upstream: FakeUpstream, body: Any) -> tuple[float, Any]:
    done = post(upstream, body)
    request = upstream.requests[-1]
    upstream.wait_answered(request)
    assert request.ended_at is not None
    return request.ended_at - request.at, done


def test_a_client_that_leaves_is_seen() -> None:
    with FakeUpstream(Answer.hang()) as upstream:
        connection = connect(upstream)
        connection.request("POST", "/v1/chat/completions", json.dumps(CHAT))
        (request,) = upstream.wait_for(1)
        assert not request.was_closed
        connection.close()
        upstream.wait_closed(request)
        upstream.wait_idle()
        assert not request.is_answered
        assert request.ended_at is not None


def test_a_stream_hangs_after_its_first_bytes() -> None:
    with FakeUpstream(Answer.hang(at_byte=10)) as upstream:
        connection = connect(upstream)
        connection.request("POST", "/v1/chat/completions", json.dumps(CHAT | {"stream": True}))
        assert connection.getresponse().read(10) == b'data: {"id'
        connection.close()
        upstream.wait_closed(upstream.requests[0])


def test_waiting_in_vain_says_for_what() -> None:
    with FakeUpstream() as upstream, pytest.raises(TimeoutError, match="in vain for request 1"):
        upstream.wait_for(1, timeout_s=0.01)


def test_requests_of_one_connection_are_answered_in_turn() -> None:
    with FakeUpstream() as upstream, socket.create_connection(("127.0.0.1", upstream.port)) as raw:
        one = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
        raw.sendall(one + one + one.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        received = b""
        while part := raw.recv(65536):
            received += part
        assert received.count(b"HTTP/1.1 200 OK") == 3
        assert {request.connection for request in upstream.requests} == {1}
        assert [request.number for request in upstream.requests] == [1, 2, 3]


def test_no_http_ends_the_connection() -> None:
    with FakeUpstream() as upstream, socket.create_connection(("127.0.0.1", upstream.port), 5) as raw:
        raw.sendall(b"\x00\x01\x02\r\n\r\n")
        assert raw.recv(100) == b""


def test_it_stops_refuses_and_comes_back_at_the_same_address() -> None:
    before = set(threading.enumerate())
    upstream = FakeUpstream().start()
    address = upstream.base_url
    upstream.close()
    with pytest.raises(ConnectionRefusedError):
        post(upstream)
    upstream.start()
    assert upstream.base_url == address
    assert post(upstream)[0].status == 200
    with pytest.raises(NetworkError, match="cannot be listened on"):
        FakeUpstream(port=upstream.port).start()
    upstream.close()
    upstream.close()
    assert set(threading.enumerate()) <= before


def test_it_can_forget() -> None:
    with FakeUpstream(keep=2) as upstream:
        for _ in range(3):
            post(upstream)
        assert [request.number for request in upstream.requests] == [2, 3]
        upstream.clear()
        assert upstream.requests == ()
        assert upstream.received_count == 3
