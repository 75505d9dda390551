"""An OpenAI stream as an Anthropic one: chunks become events, with one content block open at a time.

Source: OpenAI's reference of the chat completion chunk; Anthropic's page on streaming messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from tenbin.types import Usage
from tenbin.upstream.absent import ABSENT
from tenbin.upstream.failure import BROKEN_OFF
from tenbin.upstream.loose_json import decode
from tenbin.upstream.translate.answers import MESSAGE_ID, content_text, prefixed, stated
from tenbin.upstream.translate.block_queue import BlockQueue, is_whole
from tenbin.upstream.translate.stop_reasons import to_stop_reason
from tenbin.upstream.translate.tool_ids import UniqueIds
from tenbin.upstream.translate.translated_stream import TranslatedStream
from tenbin.upstream.translate.usage_counts import to_anthropic_usage
from tenbin.upstream.usage import openai_usage


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    index: int | None = 0
    delta: _Delta | None = None
    finish_reason: Any = None
    error: Any = None


class _Chunk(msgspec.Struct):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


@dataclass(slots=True)
class _Call:
    """A tool call: the server's id of it, the one it bears here, and the pieces of its arguments so far."""

    given: str
    call_id: str
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    def is_over(self, given: str, name: str | None) -> bool:
        """Whether a piece of this id and name, in its place, begins another call: servers that do not count give one a
        new id, or none to any; then a name behind arguments that are whole tells it.
        """
        if not name or not (self.given or self.name):
            return False
        return given != self.given if given else not self.given and is_whole(self.pieces)


def _event(name: str, body: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode({"type": name, **body}) + b"\n\n"


class ChatToMessagesStream(TranslatedStream):
    """Translates one OpenAI stream for a client of the Anthropic dialect.

    `thinking`: whether the client asked for thinking, only then does it get (never signed) thinking blocks. The closing
    events wait for [DONE].
    """

    target = "anthropic"
    error_head = b"event: error\ndata: "

    def __init__(self, *, thinking: bool = False) -> None:
        super().__init__()
        self._thinking = thinking
        self._id = ""
        self._blocks = BlockQueue()
        self._calls: dict[int, _Call] = {}
        self._unnamed: list[_Call] = []
        self._names = UniqueIds()
        self._usage: Usage | None = None
        self._finish_reason: Any = None
        self._refusal = ""
        self._has_started = False

    @staticmethod
    def _is_end(data: bytes) -> bool:
        return data.startswith(b"[DONE]")

    def _frame(self, data: bytes) -> bytes:
        if self._is_end(data):
            return self._finish()
        try:
            chunk = decode(_CHUNK, data)
        except msgspec.DecodeError:
            return self._break("the upstream sent a malformed chunk")
        if chunk.error is not None:
            return self._pass_on(chunk.error)
        # Azure begins with what its filter says of the prompt, in a chunk without a name, a model and an answer.
        out = self._start(chunk) if not self._has_started and (chunk.id or chunk.choices) else b""
        self._usage = openai_usage(chunk.usage) or self._usage
        for choice in chunk.choices or ():
            if not choice.index:  # null counts as the first: there is one
                self._finish_reason = choice.finish_reason or self._finish_reason
                if choice.delta is not None:
                    out += self._delta(choice.delta)
                if isinstance(choice.finish_reason, str) and choice.finish_reason in BROKEN_OFF:
                    what = {"message": f"the answer broke off ({choice.finish_reason})"}
                    return out + self._pass_on(choice.error or what)
        return out

    def _start(self, chunk: _Chunk) -> bytes:
        self._has_started = True
        self._id = prefixed(chunk.id, MESSAGE_ID)
        message: dict[str, Any] = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": stated(chunk.model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": to_anthropic_usage(None),
        }
        return _event("message_start", {"message": message}) + _event("ping", {})

    def _delta(self, delta: _Delta) -> bytes:
        out = b""
        if self._thinking:
            thought = delta.reasoning_content or delta.reasoning
            if isinstance(thought, str) and thought:
                out += self._blocks.write_thinking(thought)
        if delta.content:
            text = content_text(delta.content)
            if text:
                out += self._blocks.write_text(text)
        if delta.refusal:
            self._refusal += delta.refusal
            out += self._blocks.write_text(delta.refusal)
        for call in delta.tool_calls or ():
            out += self._call(call)
        return out

    def _call(self, call: _ToolCall) -> bytes:
        """One piece of a call, found by its index.

        A block begins with the call's name: where that comes late, what came before it waits.
        """
        function = call.function or _Function()
        given, arguments = call.id or "", function.arguments or ""
        if isinstance(arguments, dict):  # some servers give the object itself, whole
            arguments = msgspec.json.encode(arguments).decode()
        index = call.index if call.index is not None else -1
        known = self._calls.get(index)
        if known is None or known.is_over(given, function.name):
            known = self._calls[index] = _Call(given, self._names.unique(given, self._id))
            self._unnamed.append(known)
        if arguments:
            known.pieces.append(arguments)
        if not known.name:
            if not function.name:
                return b""
            known.name = function.name
            self._unnamed.remove(known)
            return self._blocks.write_call(known.call_id, known.name, "".join(known.pieces))
        return self._blocks.write_call(known.call_id, known.name, arguments)

    def _finish(self) -> bytes:
        if not self._has_started:  # an end without any chunk is no answer
            return self._break("the upstream's stream ended without an answer")
        self._is_over = True
        out = b"".join(self._blocks.write_call(call.call_id, "", "".join(call.pieces)) for call in self._unnamed)
        out += self._blocks.close()
        stop = to_stop_reason(self._finish_reason, has_calls=bool(self._calls), has_refused=bool(self._refusal))
        delta: dict[str, Any] = {"stop_reason": stop, "stop_sequence": None}
        if stop == "refusal":
            delta["stop_details"] = {"type": "refusal", "category": None, "explanation": self._refusal or None}
        out += _event("message_delta", {"delta": delta, "usage": to_anthropic_usage(self._usage)})
        return out + _event("message_stop", {})
