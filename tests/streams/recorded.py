"""Recorded streams for whoever parses, relays or cuts them; said by FakeUpstream, none is a provider's.

`python -m tests.streams.recorded` writes them anew into this folder; a test fails where they differ from what
FakeUpstream says today.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.testing import Answer, FakeUpstream
from tenbin.types import Usage

FOLDER = Path(__file__).resolve().parent
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
ASKED = "Which colours has the sky? 空は何色ですか。"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
TURN = {"messages": [{"role": "user", "content": ASKED}]}
USAGE = {"stream_options": {"include_usage": True}}
CHAT_TOOL = {"tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]}
OWN_TOOL = {"tools": [{"name": "weather", "input_schema": SCHEMA}], "tool_choice": {"type": "any"}}
CACHED = Usage(1200, 40, cached_tokens=1000, cache_write_tokens=100, reasoning_tokens=16)


@dataclass(frozen=True, slots=True)
class Recording:
    """One stream: the request, what the upstream was told to say, whether it ends as a good one does."""

    path: str
    body: Mapping[str, Any]
    answer: Answer | None = None
    is_whole: bool = True

    @property
    def dialect(self) -> str:
        return {CHAT: "openai", MESSAGES: "anthropic", RESPONSES: "responses"}[self.path]


RECORDINGS: Mapping[str, Recording] = {
    "chat": Recording(CHAT, TURN),
    "chat-usage": Recording(CHAT, TURN | USAGE, Answer(usage=CACHED)),
    "chat-two-choices": Recording(CHAT, TURN | USAGE | {"n": 2}),
    "chat-logprobs": Recording(CHAT, TURN | {"logprobs": True, "top_logprobs": 1, "max_tokens": 3}),
    "chat-tool": Recording(CHAT, TURN | CHAT_TOOL | USAGE | {"tool_choice": "required"}),
    "chat-length": Recording(CHAT, TURN | {"max_tokens": 3}),
    "chat-filter": Recording(CHAT, TURN | USAGE, Answer.content_filter()),
    "chat-error": Recording(CHAT, TURN, Answer.error_in_stream(after_chunks=3), is_whole=False),
    "messages": Recording(MESSAGES, TURN | {"max_tokens": 99}),
    "messages-usage": Recording(MESSAGES, TURN | {"max_tokens": 99}, Answer(usage=CACHED)),
    "messages-thinking": Recording(MESSAGES, TURN | {"max_tokens": 2000, "thinking": {"type": "adaptive"}}),
    "messages-tool": Recording(MESSAGES, TURN | OWN_TOOL | {"max_tokens": 99}),
    "messages-length": Recording(MESSAGES, TURN | {"max_tokens": 3}),
    "messages-refusal": Recording(MESSAGES, TURN | {"max_tokens": 99}, Answer.content_filter()),
    "messages-error": Recording(MESSAGES, TURN | {"max_tokens": 99}, Answer.error_in_stream(4), is_whole=False),
    "responses": Recording(RESPONSES, {"input": ASKED}),
    "responses-usage": Recording(RESPONSES, {"input": ASKED}, Answer(usage=CACHED)),
    "responses-tool": Recording(
        RESPONSES,
        {"input": ASKED, "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA}]}
        | {"tool_choice": "required"},
    ),
}


def recorded(name: str) -> bytes:
    """The payload of one stream, without HTTP."""
    return (FOLDER / f"{name}.sse").read_bytes()


def said_now(name: str) -> bytes:
    """The same as FakeUpstream says it now."""
    recording = RECORDINGS[name]
    with FakeUpstream(recording.answer) as upstream:
        connection = http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=10)
        body = {"model": "recorded", **recording.body, "stream": True}
        connection.request("POST", recording.path, json.dumps(body), {"content-type": "application/json"})
        stream = connection.getresponse().read()
        connection.close()
    return stream


def main() -> None:
    """Write every stream."""
    for name in RECORDINGS:
        (FOLDER / f"{name}.sse").write_bytes(said_now(name))


if __name__ == "__main__":
    main()
