"""Content blocks written one after the other, although their pieces may arrive interleaved.

Anthropic's clients expect one open block at a time; OpenAI's parallel tool calls may be cut into pieces that alternate.
A block that begins while a call is still incomplete waits, and is written when the call's arguments are whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

_TEXT = "text"
_THINKING = "thinking"


@dataclass(slots=True)
class _Block:
    """One block: its key, the JSON it starts with, the kind of its deltas, and what was written so far."""

    key: str
    start: dict[str, Any]
    delta: bytes
    is_call: bool = False
    pieces: list[str] = field(default_factory=list)

    def is_whole(self) -> bool:
        """Whether nothing more can come: a call's arguments are whole when they are a JSON object."""
        return not self.is_call or is_whole(self.pieces)


def is_whole(pieces: Sequence[str]) -> bool:
    """Whether the arguments of a call are all there."""
    # Most pieces end elsewhere: the whole is not parsed for each of them.
    last = next((piece for piece in reversed(pieces) if not piece.isspace()), "")
    if not last.rstrip().endswith("}"):
        return False
    try:
        msgspec.json.decode("".join(pieces), type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


class BlockQueue:
    """Turns pieces of text, thinking and tool calls into content_block events with rising indices."""

    def __init__(self) -> None:
        self._live: _Block | None = None
        self._head = b""
        self._index = -1
        self._waiting: deque[_Block] = deque()
        self._closed_calls: set[str] = set()

    def write_text(self, text: str) -> bytes:
        """The events for a piece of text."""
        if self._live is not None and self._live.key is _TEXT and not self._waiting:
            return self._head + msgspec.json.encode(text) + b"}}\n\n"
        start = {"type": "text", "text": ""}
        return self._write(_TEXT, text, lambda: _Block(_TEXT, start, b'{"type":"text_delta","text":'))

    def write_thinking(self, text: str) -> bytes:
        """The events for a piece of thinking; the block bears an empty signature."""
        start = {"type": "thinking", "thinking": "", "signature": ""}
        return self._write(_THINKING, text, lambda: _Block(_THINKING, start, b'{"type":"thinking_delta","thinking":'))

    def write_call(self, call_id: str, name: str, arguments: str) -> bytes:
        """The events for a piece of the tool call with this id."""
        if call_id in self._closed_calls:
            return b""
        start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        delta = b'{"type":"input_json_delta","partial_json":'
        return self._write(f"call:{call_id}", arguments, lambda: _Block(f"call:{call_id}", start, delta, True))

    def close(self) -> bytes:
        """The events that end whatever is open or waiting."""
        out = self._stop()
        while self._waiting:
            out += self._open(self._waiting.popleft()) + self._stop()
        return out

    def _write(self, key: str, text: str, make: Any) -> bytes:
        live = self._live
        if live is None:
            self._live = live = make()
            out = self._begin(live)
        elif live.key != key:
            return self._wait(key, text, make)
        else:
            out = b""
        if not text:
            return out
        if live.is_call:
            live.pieces.append(text)
        out += self._head + msgspec.json.encode(text) + b"}}\n\n"
        return out + self._drain() if self._waiting else out

    def _wait(self, key: str, text: str, make: Any) -> bytes:
        """Put a piece of another block at the end, and write what need not wait."""
        # Text after something else is a new block; the pieces of a call belong together wherever they come.
        block = next((one for one in self._waiting if one.key == key and one.is_call), None)
        if block is None and self._waiting and self._waiting[-1].key == key:
            block = self._waiting[-1]
        if block is None:
            block = make()
            self._waiting.append(block)
        block.pieces.append(text)
        return self._drain()

    def _drain(self) -> bytes:
        out = b""
        while self._waiting and (self._live is None or self._live.is_whole()):
            out += self._stop() + self._open(self._waiting.popleft())
        return out

    def _begin(self, block: _Block) -> bytes:
        self._index += 1
        start = {"type": "content_block_start", "index": self._index, "content_block": block.start}
        self._head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % self._index
        )
        self._head += block.delta
        return b"event: content_block_start\ndata: " + msgspec.json.encode(start) + b"\n\n"

    def _open(self, block: _Block) -> bytes:
        self._live = block
        out = self._begin(block)
        text = "".join(block.pieces)
        return out + self._head + msgspec.json.encode(text) + b"}}\n\n" if text else out

    def _stop(self) -> bytes:
        if self._live is None:
            return b""
        if self._live.is_call:
            self._closed_calls.add(self._live.start["id"])
        self._live = None
        data = b'{"type":"content_block_stop","index":%d}' % self._index
        return b"event: content_block_stop\ndata: " + data + b"\n\n"
