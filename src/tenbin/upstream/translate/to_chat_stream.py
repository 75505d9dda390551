"""An Anthropic stream as an OpenAI one: events become chat completion chunks.

Source: Anthropic's page on streaming messages; OpenAI's reference of the chat completion chunk.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tenbin.types import Usage
from tenbin.upstream.absent import ABSENT
from tenbin.upstream.loose_json import decode
from tenbin.upstream.translate.answers import CHAT_ID, explained, prefixed, stated
from tenbin.upstream.translate.stop_reasons import to_finish_reason
from tenbin.upstream.translate.translated_stream import TranslatedStream
from tenbin.upstream.translate.usage_counts import to_openai_usage
from tenbin.upstream.usage import anthropic_usage


class _Delta(msgspec.Struct):
    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None
    stop_details: Any = None


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Message(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: msgspec.Raw = ABSENT


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: msgspec.Raw = ABSENT
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_TAIL = b',"logprobs":null,"finish_reason":null}]'
_PING = b": ping\n\n"


class _Call:
    __slots__ = ("has_arguments", "index", "input")

    def __init__(self, index: int, given: bytes) -> None:
        self.index = index
        self.input = given
        self.has_arguments = False


class MessagesToChatStream(TranslatedStream):
    """Translates one Anthropic stream for a client of the OpenAI dialect.

    `created` is the time in Unix seconds, `include_usage` whether the client asked for the usage chunk. The finish
    chunk waits for message_stop.
    """

    target = "openai"
    error_head = b"data: "

    def __init__(self, *, created: int, include_usage: bool = False) -> None:
        super().__init__()
        self._created = created
        self._end = _TAIL + (b',"usage":null}\n\n' if include_usage else b"}\n\n")
        self._include_usage = include_usage
        self._head = b""
        self._content = b""
        self._usage: Usage | None = None
        self._stop_reason: str | None = None
        self._calls: dict[int, _Call] = {}

    @staticmethod
    def _is_end(data: bytes) -> bool:
        return b'"message_stop"' in data and data.endswith(b"}")

    def _frame(self, data: bytes) -> bytes:
        try:
            event = decode(_EVENT, data)
        except msgspec.DecodeError:
            return self._break("the upstream sent a malformed event")
        kind, out = event.type, b""
        if kind == "content_block_delta" and event.delta is not None:
            out = self._delta(event.index, event.delta)
        elif kind == "content_block_start" and event.content_block is not None:
            out = self._start_block(event.index, event.content_block)
        elif kind == "content_block_stop":
            out = self._stop_block(event.index)
        elif kind == "message_start":
            out = self._start(event.message or _Message())
        elif kind == "message_delta":
            out = self._message_delta(event)
        elif kind == "message_stop":
            out = self._finish()
        elif kind == "error":
            out = self._pass_on(event.error)
        elif kind == "ping":
            out = _PING
        return out

    def _chunk(self, delta: bytes) -> bytes:
        if not self._head:
            self._start(_Message())
        return self._head + delta + self._end

    def _start(self, message: _Message) -> bytes:
        head = {
            "id": prefixed(message.id, CHAT_ID),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": stated(message.model),
        }
        self._head = b"data: " + msgspec.json.encode(head)[:-1] + b',"choices":[{"index":0,"delta":'
        self._content = self._head + b'{"content":'
        self._usage = anthropic_usage(message.usage, self._usage)
        return self._chunk(b'{"role":"assistant","content":"","refusal":null}')

    def _delta(self, index: int, delta: _Delta) -> bytes:
        if delta.type == "text_delta" and delta.text is not None:
            if not self._content:
                self._start(_Message())
            return self._content + msgspec.json.encode(delta.text) + b"}" + self._end
        if delta.type == "input_json_delta":
            return self._arguments(index, delta.partial_json)
        if delta.type == "thinking_delta" and delta.thinking:
            return self._chunk(b'{"reasoning_content":' + msgspec.json.encode(delta.thinking) + b"}")
        return b""

    def _start_block(self, index: int, block: _Block) -> bytes:
        if block.type == "text":
            return self._chunk(b'{"content":' + msgspec.json.encode(block.text) + b"}") if block.text else b""
        if block.type != "tool_use":
            return b""
        call = self._calls[index] = _Call(len(self._calls), bytes(block.input))
        function = {"name": block.name or "", "arguments": ""}
        made = {"index": call.index, "id": block.id or "", "type": "function", "function": function}
        return self._chunk(msgspec.json.encode({"tool_calls": [made]}))

    def _arguments(self, index: int, text: str | None) -> bytes:
        call = self._calls.get(index)
        if call is None or not text:
            return b""
        call.has_arguments = True
        head = b'{"tool_calls":[{"index":%d,"function":{"arguments":' % call.index
        return self._chunk(head + msgspec.json.encode(text) + b"}}]}")

    def _stop_block(self, index: int) -> bytes:
        """Arguments that came whole with the call, or "{}" for a call without any: a client parses what it got."""
        call = self._calls.get(index)
        return b"" if call is None or call.has_arguments else self._arguments(index, call.input.decode())

    def _message_delta(self, event: _Event) -> bytes:
        self._usage = anthropic_usage(event.usage, self._usage)
        delta = event.delta
        if delta is None:
            return b""
        self._stop_reason = delta.stop_reason or self._stop_reason
        explanation = explained(delta.stop_details)
        if delta.stop_reason == "refusal" and explanation is not None:
            return self._chunk(b'{"refusal":' + msgspec.json.encode(explanation) + b"}")
        return b""

    def _finish(self) -> bytes:
        if not self._head:
            self._start(_Message())
        self._is_over = True
        reason = to_finish_reason(self._stop_reason).encode()
        end = self._end.replace(b'"finish_reason":null', b'"finish_reason":"' + reason + b'"')
        out = self._head + b"{}" + end
        if self._include_usage:
            head = self._head[: self._head.rindex(b'"choices":')]
            out += head + b'"choices":[],"usage":' + msgspec.json.encode(to_openai_usage(self._usage)) + b"}\n\n"
        return out + b"data: [DONE]\n\n"
