"""The official clients read translated answers, streams and errors from a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tenbin.upstream.translate import (
    ChatToMessagesStream,
    MessagesToChatStream,
    chat_to_messages,
    completion_to_message,
    message_to_completion,
    messages_to_chat,
    translate_error,
    translate_status,
)

pytestmark = pytest.mark.extra

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "secret"},
        {"type": "text", "text": "I look, 天秤."},
        {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"q": "a b"}},
        {"type": "tool_use", "id": "toolu_2", "name": "look_up", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2, "output_tokens": 7},
}
COMPLETION = message_to_completion(MESSAGE, created=1)
CHAT_TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
CLAUDE_TOOL = {"name": "look_up", "input_schema": {"type": "object", "properties": {}}}
HELLO = [{"role": "user", "content": "Hello"}]


def message_stream() -> bytes:
    """MESSAGE as Anthropic streams it, with every text in pieces of three characters."""
    sent: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
        {"type": "ping"},
    ]
    for at, block in enumerate(MESSAGE["content"]):
        kind = block["type"]
        key = {"tool_use": "partial_json"}.get(kind, kind)
        text = json.dumps(block["input"]) if kind == "tool_use" else block[kind]
        start = {**block, "input": {}} if kind == "tool_use" else {**block, kind: ""}
        name = {"tool_use": "input_json"}.get(kind, kind)
        sent.append({"type": "content_block_start", "index": at, "content_block": start})
        for first in range(0, len(text), 3):
            delta = {"type": f"{name}_delta", key: text[first : first + 3]}
            sent.append({"type": "content_block_delta", "index": at, "delta": delta})
        sent.append({"type": "content_block_stop", "index": at})
    sent.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}})
    sent.append({"type": "message_stop"})
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in sent)


def completion_stream() -> bytes:
    """COMPLETION as OpenAI streams it: what the other translator makes is read by the one under test."""
    stream = MessagesToChatStream(created=1, include_usage=True)
    return stream.feed(message_stream()) + stream.close()


class Gateway(BaseHTTPRequestHandler):
    """Translates a request, answers with the translated script of the server: status, answer, stream."""

    server: Any

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        script = self.server.script
        is_chat = self.path.endswith("/chat/completions")
        translate = chat_to_messages if is_chat else messages_to_chat
        self.server.sent.append(translate(body, "claude-sonnet-4-6" if is_chat else "gpt-5.2"))
        own, other = ("openai", "anthropic") if is_chat else ("anthropic", "openai")
        if script["status"] != 200:
            status = translate_status(other, own, script["status"])
            self.answer(status, translate_error(other, own, script["status"], json.dumps(script["body"]).encode()))
        elif body.get("stream"):
            self.stream(is_chat, body, script["stream"])
        elif is_chat:
            self.answer(200, json.dumps(message_to_completion(MESSAGE, created=1)).encode())
        else:
            message = completion_to_message(COMPLETION, thinking=bool(body.get("thinking")))
            self.answer(200, json.dumps(message).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, is_chat: bool, body: dict[str, Any], upstream: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        translator: ChatToMessagesStream | MessagesToChatStream
        if is_chat:
            include = bool(body.get("stream_options", {}).get("include_usage"))
            translator = MessagesToChatStream(created=1, include_usage=include)
        else:
            translator = ChatToMessagesStream(thinking=bool(body.get("thinking")))
        for first in range(0, len(upstream), 50):
            self.wfile.write(translator.feed(upstream[first : first + 50]))
        self.wfile.write(translator.close())

    def log_message(self, *arguments: Any) -> None:
        """Nothing is logged."""


class Loopback:
    """The server, its address and what it sent upstream."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def play(self, stream: bytes = b"", status: int = 200, body: Any = None) -> None:
        self.server.script = {"status": status, "stream": stream, "body": body}


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        server.sent = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        played = Loopback(server)
        played.play()
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture
def openai_client(loopback: Loopback) -> Iterator[Any]:
    import openai

    with openai.OpenAI(base_url=f"{loopback.url}/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(loopback: Loopback) -> Iterator[Any]:
    import anthropic

    with anthropic.Anthropic(base_url=loopback.url, api_key="k", max_retries=0) as client:
        yield client


def check_completion(completion: Any) -> None:
    message = completion.choices[0].message
    assert (completion.id, completion.model) == ("chatcmpl-msg_1", "claude-x")
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.content == "I look, 天秤."
    assert [(call.id, json.loads(call.function.arguments)) for call in message.tool_calls] == [
        ("toolu_1", {"q": "a b"}),
        ("toolu_2", {}),
    ]
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (17, 7)
    assert completion.usage.prompt_tokens_details.cached_tokens == 5


def check_message(message: Any) -> None:
    assert (message.id, message.model, message.stop_reason) == ("msg_chatcmpl-msg_1", "claude-x", "tool_use")
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert message.content[0].text == "I look, 天秤."
    assert [(block.id, block.input) for block in message.content[1:]] == [("toolu_1", {"q": "a b"}), ("toolu_2", {})]
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (10, 5)
    assert (message.usage.cache_creation_input_tokens, message.usage.output_tokens) == (2, 7)


def test_openai_reads_an_answer(openai_client: Any, loopback: Loopback) -> None:
    check_completion(openai_client.chat.completions.create(model="m", messages=HELLO, tools=[CHAT_TOOL]))
    assert loopback.server.sent[0]["model"] == "claude-sonnet-4-6"


def test_openai_accumulates_a_stream(openai_client: Any, loopback: Loopback) -> None:
    loopback.play(message_stream())
    options = {"include_usage": True}
    with openai_client.chat.completions.stream(model="m", messages=HELLO, stream_options=options) as stream:
        check_completion(stream.get_final_completion())


def test_openai_gets_no_usage_that_it_did_not_ask_for(openai_client: Any, loopback: Loopback) -> None:
    loopback.play(message_stream())
    found = list(openai_client.chat.completions.create(model="m", messages=HELLO, stream=True))
    assert all(one.choices and one.usage is None for one in found)
    assert found[-1].choices[0].finish_reason == "tool_calls"


def test_anthropic_reads_an_answer(anthropic_client: Any, loopback: Loopback) -> None:
    create: Callable[..., Any] = anthropic_client.messages.create
    check_message(create(model="m", max_tokens=50, messages=HELLO, tools=[CLAUDE_TOOL]))
    assert loopback.server.sent[0]["model"] == "gpt-5.2"
    thought = create(model="m", max_tokens=5000, messages=HELLO, thinking={"type": "enabled", "budget_tokens": 2000})
    assert (thought.content[0].type, thought.content[0].thinking) == ("thinking", "hm")


def test_anthropic_accumulates_a_stream(anthropic_client: Any, loopback: Loopback) -> None:
    loopback.play(completion_stream())
    with anthropic_client.messages.stream(model="m", max_tokens=50, messages=HELLO) as stream:
        check_message(stream.get_final_message())


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, "invalid_request_error", "BadRequestError"),
        (401, "authentication_error", "AuthenticationError"),
        (404, "not_found_error", "NotFoundError"),
        (429, "rate_limit_error", "RateLimitError"),
        (529, "overloaded_error", "InternalServerError"),
    ],
)
def test_openai_raises_its_error(openai_client: Any, loopback: Loopback, status: int, kind: str, name: str) -> None:
    import openai

    loopback.play(status=status, body={"type": "error", "error": {"type": kind, "message": "no, because"}})
    with pytest.raises(getattr(openai, name), match="no, because"):
        openai_client.chat.completions.create(model="m", messages=HELLO)


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "BadRequestError"), (401, "AuthenticationError"), (429, "RateLimitError"), (503, "InternalServerError")],
)
def test_anthropic_raises_its_error(anthropic_client: Any, loopback: Loopback, status: int, name: str) -> None:
    import anthropic

    loopback.play(status=status, body={"error": {"message": "no, because", "type": "x", "code": None}})
    with pytest.raises(getattr(anthropic, name), match="no, because"):
        anthropic_client.messages.create(model="m", max_tokens=5, messages=HELLO)


def test_openai_raises_when_a_stream_is_cut(openai_client: Any, loopback: Loopback) -> None:
    import openai

    loopback.play(message_stream()[:-20])
    with pytest.raises(openai.APIError, match="half-way"):
        list(openai_client.chat.completions.create(model="m", messages=HELLO, stream=True))


def test_anthropic_raises_when_a_stream_is_cut(anthropic_client: Any, loopback: Loopback) -> None:
    import anthropic

    loopback.play(completion_stream()[: -len(b"data: [DONE]\n\n")])
    with (
        pytest.raises(anthropic.APIError, match="half-way"),
        anthropic_client.messages.stream(model="m", max_tokens=50, messages=HELLO) as stream,
    ):
        stream.get_final_message()
