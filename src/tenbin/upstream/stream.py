"""The streams of each dialect: chat completion chunks, message events, events of /v1/responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from tenbin.upstream.absent import ABSENT
from tenbin.upstream.call_numbers import CallNumbers, is_unnumbered
from tenbin.upstream.failure import UpstreamFailure, broken_off
from tenbin.upstream.frame_stream import EMPTY, LONGEST_EMPTY, QUOTES, FrameStream, decoded_as, said_bytes_of
from tenbin.upstream.loose_json import members_of
from tenbin.upstream.sse import Frame, read_frame
from tenbin.upstream.usage import anthropic_usage, openai_usage

_USAGE_NULL = b',"usage":null'
_DATA, _BLANK = b"data: ", b"\n\n"
_PLAIN_BYTES = len(_DATA + _BLANK)
_END = b"}" + _BLANK
_PILED_END = _USAGE_NULL + _END
_NOTHING_BESIDE = (ABSENT,) * 5
_CALL_BYTES = len(b'{"index":0,"function":{"arguments":""}}')
"""What stands around a piece of a tool call's arguments."""


class _Delta(msgspec.Struct, gc=False):
    """What a piece may add; `role` alone is no content."""

    content: msgspec.Raw = ABSENT
    tool_calls: msgspec.Raw = ABSENT
    reasoning_content: msgspec.Raw = ABSENT
    reasoning: msgspec.Raw = ABSENT
    refusal: msgspec.Raw = ABSENT
    function_call: msgspec.Raw = ABSENT
    audio: msgspec.Raw = ABSENT

    def said_bytes(self) -> int:
        """How much it adds, 0 where nothing."""
        content = self.content
        found = len(content) - QUOTES  # as in `said_bytes_of`: nearly every piece is a text and nothing else
        if found <= LONGEST_EMPTY - QUOTES:
            found = 0 if content is ABSENT else said_bytes_of(content)
        beside = (self.reasoning_content, self.reasoning, self.refusal, self.function_call, self.audio)
        if beside != _NOTHING_BESIDE:
            found += sum(said_bytes_of(raw) for raw in beside if raw is not ABSENT)
        if self.tool_calls is not ABSENT and (calls := said_bytes_of(self.tool_calls)):
            found += max(calls - _CALL_BYTES, 1)
        return found


class _Choice(msgspec.Struct, gc=False):
    index: Any = None
    delta: _Delta | None = None
    finish_reason: Any = None
    error: msgspec.Raw = ABSENT


class _Chunk(msgspec.Struct, gc=False):
    id: Any = None
    choices: list[_Choice] | None = None
    service_tier: Any = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


_CHUNK = msgspec.json.Decoder(_Chunk)


class OpenAIStream(FrameStream):
    """A stream of chat completion chunks; `strip_usage` for a client that did not ask for the usage that we asked for.

    Stripped are the last chunk, which has usage and no choices, and the usage member (mostly null) of all others.
    """

    __slots__ = ("_finished", "_lacks_numbers", "_numbers", "_strip_usage")

    def __init__(self, strip_usage: bool) -> None:
        super().__init__()
        self._strip_usage = strip_usage
        self._lacks_numbers = False
        self._numbers = CallNumbers()
        self._finished: set[str] = set()

    def feed(self, chunk: bytes) -> bytes:
        """As every stream does it; a frame that comes alone takes a short way, and chunks that piled up, as they do
        under load, are read in one go.
        """
        if self._failure is not None or not self.frames.is_between or b"\r" in chunk:
            return super().feed(chunk)
        if 0 <= chunk.find(_BLANK) == len(chunk) - len(_BLANK):
            return self._passed(read_frame(chunk))
        pile = _pile(chunk)
        if pile is None or not self._read_pile(pile.lines):
            return super().feed(chunk)
        passed = pile.without_usage if self._strip_usage else pile.whole
        if self._lacks_numbers:
            passed = b"".join([self._numbered(frame[len(_DATA) :]) for frame in passed.split(_BLANK) if frame])
            self._lacks_numbers = False
        try:
            return passed + super().feed(chunk[len(pile.whole) :])
        except UpstreamFailure as failure:
            self._failure = failure  # as in `FrameStream.feed`
            return passed

    def _read_pile(self, lines: bytes) -> bool:
        """Take in what all chunks of a pile tell; False, and nothing is taken, where one of them is an error."""
        try:
            chunks = _CHUNK.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        for chunk in chunks:
            if chunk.error is not ABSENT:
                return False
        self._take(chunks)
        return True

    def _take(self, chunks: Sequence[_Chunk]) -> None:
        """What chunks tell of the answer, but for its usage."""
        said_bytes = 0
        for chunk in chunks:
            if self.response_id is None and isinstance(chunk.id, str):
                self.response_id = chunk.id
            for choice in chunk.choices or ():
                delta = choice.delta
                said = 0 if delta is None else delta.said_bytes()
                said_bytes += said
                if delta is not None and delta.tool_calls is not ABSENT and is_unnumbered(delta.tool_calls):
                    self._lacks_numbers = True
                if choice.finish_reason is not None:
                    self.finish_reason = str(choice.finish_reason)
                    self.error = self.error or broken_off(choice.finish_reason, bytes(choice.error))
                    if choice.finish_reason:  # some servers write "" until there is one
                        self._finished.add(str(choice.index or 0))
                elif said and self._finished:
                    self._finished.discard(str(choice.index or 0))
        if said_bytes:
            self.said_bytes += said_bytes
            self.has_content = True

    def _numbered(self, data: bytes, event: bytes = b"") -> bytes:
        """The frame of this data, its tool calls with their numbers."""
        return _framed(event, self._numbers.numbered(data))

    def missing_end(self, answers: int) -> bytes:
        """Some servers send no [DONE]: each answer's finish reason is its end, behind which it says nothing."""
        if self.is_done or self._is_torn or self.error is not None or len(self._finished) < answers:
            return b""
        self.is_done = True
        return _DATA + b"[DONE]" + _BLANK

    def _passed(self, frame: Frame) -> bytes:
        data = frame.data
        if not data:
            return frame.raw
        if data.startswith(b"[DONE]"):
            self.is_done = True
            return frame.raw
        chunk = decoded_as(_CHUNK, data)
        if frame.event == b"error" or (chunk.error is not ABSENT and bytes(chunk.error) != b"null"):
            self.error = data
        self._take((chunk,))
        if self._lacks_numbers:
            self._lacks_numbers = False
            frame = read_frame(self._numbered(data, frame.event))
        if chunk.usage is ABSENT:
            return frame.raw
        found = None if bytes(chunk.usage) == b"null" else openai_usage(chunk.usage, chunk.service_tier)
        self.usage = found or self.usage
        if not self._strip_usage:
            return frame.raw
        return b"" if found is not None and not chunk.choices else _without_usage(frame)


class _Part(msgspec.Struct):
    """The `delta` and the `content_block` of Anthropic's events."""

    type: str | None = None
    text: msgspec.Raw = ABSENT
    thinking: msgspec.Raw = ABSENT
    partial_json: msgspec.Raw = ABSENT
    stop_reason: str | None = None

    def says(self) -> bool:
        """Whether it is more than the empty frame of a text or of thinking."""
        if self.type in {"text", "text_delta"}:
            return bytes(self.text) not in EMPTY
        if self.type in {"thinking", "thinking_delta"}:
            return bytes(self.thinking) not in EMPTY
        return True

    def said_bytes(self) -> int:
        """How much of text, thinking or a call's arguments it adds."""
        found = 0
        for raw in (self.text, self.thinking, self.partial_json):
            if raw is not ABSENT:
                found += said_bytes_of(raw)
        return found


class _Message(msgspec.Struct):
    id: str | None = None
    usage: msgspec.Raw = ABSENT


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Message | None = None
    delta: _Part | None = None
    content_block: _Part | None = None
    usage: msgspec.Raw = ABSENT


_EVENT = msgspec.json.Decoder(_Event)


class AnthropicStream(FrameStream):
    """A stream of message events."""

    __slots__ = ()

    def _passed(self, frame: Frame) -> bytes:
        data = frame.data
        if not data:
            return frame.raw
        event = decoded_as(_EVENT, data)
        kind = event.type
        if kind == "content_block_delta" and event.delta is not None:
            self._say(event.delta)
        elif kind == "content_block_start" and event.content_block is not None:
            self._say(event.content_block)
        elif kind == "message_start" and event.message is not None:
            self.response_id = event.message.id
            self.usage = anthropic_usage(event.message.usage)
        elif kind == "message_delta":
            self.usage = anthropic_usage(event.usage, self.usage)
            if event.delta is not None and event.delta.stop_reason is not None:
                self.finish_reason = event.delta.stop_reason
        elif kind == "message_stop":
            self.is_done = True
        elif kind == "error" or frame.event == b"error":
            self.error = data
        return frame.raw

    def _say(self, part: _Part) -> None:
        self.said_bytes += part.said_bytes()
        self.has_content = self.has_content or part.says()


class _Response(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    service_tier: Any = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class _ResponseEvent(msgspec.Struct):
    type: str | None = None
    delta: msgspec.Raw = ABSENT
    response: _Response | None = None


_RESPONSE_EVENT = msgspec.json.Decoder(_ResponseEvent)


class ResponsesStream(FrameStream):
    """A stream of /v1/responses events; `finish_reason` is the response's last status.

    A response that failed is an `error`, although its stream ends as it should.
    """

    __slots__ = ()

    def _passed(self, frame: Frame) -> bytes:
        data = frame.data
        if not data or data.startswith(b"[DONE]"):
            return frame.raw
        event = decoded_as(_RESPONSE_EVENT, data)
        kind = event.type or ""
        response = event.response
        if kind.endswith(".delta"):
            self.has_content = True
            self.said_bytes += said_bytes_of(event.delta)
        elif response is not None:
            self.response_id = response.id or self.response_id
            self.finish_reason = response.status or self.finish_reason
            self.usage = openai_usage(response.usage, response.service_tier) or self.usage
        if kind in {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}:
            self.is_done = True
        if kind == "response.failed" and response is not None and bytes(response.error) != b"null":
            self.error = (
                b'{"error":' + response.error + b"}"
            )  # told as any other error is, not inside the whole response
        elif kind in {"error", "response.failed"}:
            self.error = data
        return frame.raw


class _Pile(NamedTuple):
    """Frames as they came, the same without usage, and what data these hold, line by line."""

    whole: bytes
    without_usage: bytes
    lines: bytes


def _pile(chunk: bytes) -> _Pile | None:
    """The two or more frames that begin a piece without CR and are nothing but chunks whose usage is null, or None.

    Each is one line of data that ends with the usage member. Its name stands in each of them once and no letter is
    escaped, so that it is the member that will be read, and nothing else is taken for it. Taken apart and put together:
    to replace it in all of them takes twice as long.
    """
    whole = chunk[: chunk.rfind(_PILED_END) + len(_PILED_END)]
    parts = whole[len(_DATA) : -len(_PILED_END)].split(_PILED_END + _DATA)
    if len(parts) < 2 or not whole.startswith(_DATA):
        return None
    lines = b"}\n".join(parts) + b"}"
    is_one = lines.count(b"\n") == len(parts) - 1 and b"usage" not in lines and not _has_escaped_letters(lines)
    return _Pile(whole, _DATA + (_END + _DATA).join(parts) + _END, lines) if is_one else None


def _has_escaped_letters(data: bytes) -> bool:
    """Whether a letter in JSON may be written by its number: looking for the backslash alone takes a sixtieth."""
    return b"\\" in data and b"\\u" in data


def _without_usage(frame: Frame) -> bytes:
    """The frame without its usage member; line ends in it are white space of its JSON, so each gets its own line."""
    data = frame.data
    at = data.rfind(_USAGE_NULL)
    is_plain = at > 0 and data.count(b"usage") == 1 and len(frame.raw) == len(data) + _PLAIN_BYTES
    if is_plain and not _has_escaped_letters(data):
        # As nearly all come. The name stands there once and no letter is escaped: this is the member that was read.
        return b"data: " + data[:at] + data[at + len(_USAGE_NULL) :] + b"\n\n"
    members = members_of(data)
    members.pop("usage", None)
    return _framed(frame.event, msgspec.json.encode(members))


def _framed(event: bytes, data: bytes) -> bytes:
    """A frame of this event and this data."""
    named = b"event: " + event + b"\n" if event else b""
    return named + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
