"""/v1/messages and its count_tokens: how Anthropic's API says it, whole and as a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.testing.fake.said import Said

STOPS: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "filter": "refusal"}
SIGNATURE = "ZmFrZS1zaWduYXR1cmU="


def messages_answer(said: Said) -> bytes:
    """The whole answer as one JSON body."""
    return msgspec.json.encode({**_head(said), "content": _blocks(said), "stop_reason": STOPS[said.finish]})


def messages_frames(said: Said) -> list[bytes]:
    """The stream: message_start, each block with its deltas, message_delta with the usage, message_stop."""
    frames = [event("message_start", message=_head(said)), event("ping")]
    for index, block in enumerate(_blocks(said)):
        frames += _block_frames(index, block, said)
    delta = {"stop_reason": STOPS[said.finish], "stop_sequence": None}
    frames.append(event("message_delta", delta=delta, usage=usage(said)))
    return [*frames, event("message_stop")]


def counted(said: Said) -> bytes:
    """The answer of count_tokens."""
    return msgspec.json.encode({"input_tokens": said.usage.input_tokens})


def usage(said: Said) -> dict[str, Any]:
    """The tokens as Anthropic counts them: input without what was read from or written to the cache."""
    tokens = said.usage
    return {
        "input_tokens": tokens.input_tokens - tokens.cached_tokens - tokens.cache_write_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cached_tokens,
        "output_tokens": tokens.output_tokens,
        "service_tier": "standard",
    }


def event(kind: str, **members: Any) -> bytes:
    """One server-sent event of Anthropic's kind."""
    data = msgspec.json.encode({"type": kind, **members})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _head(said: Said) -> dict[str, Any]:
    return {
        "id": f"msg_fake{said.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage(said),
    }


def _blocks(said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thinking:
        blocks.append({"type": "thinking", "thinking": said.thinking, "signature": SIGNATURE})
    if said.words:
        blocks.append({"type": "text", "text": said.text})
    if said.tool:
        arguments = {"input": said.tool.arguments} if said.tool.is_custom else msgspec.json.decode(said.tool.arguments)
        call = {"type": "tool_use", "id": f"toolu_fake{said.number:06d}", "name": said.tool.name}
        blocks.append({**call, "input": arguments})
    return blocks


def _block_frames(index: int, block: dict[str, Any], said: Said) -> list[bytes]:
    if block["type"] == "thinking":
        start: dict[str, Any] = {**block, "thinking": "", "signature": ""}
        deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": block["thinking"]}]
        deltas.append({"type": "signature_delta", "signature": SIGNATURE})
    elif block["type"] == "tool_use":
        start = {**block, "input": {}}
        text = msgspec.json.encode(block["input"]).decode()
        halves = ("", text[: len(text) // 2], text[len(text) // 2 :])
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
    else:
        start = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in said.words]
    frames = [event("content_block_start", index=index, content_block=start)]
    frames += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return [*frames, event("content_block_stop", index=index)]
