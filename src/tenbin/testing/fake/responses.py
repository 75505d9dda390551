"""/v1/responses: how OpenAI's newer API says it, whole and as a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.testing.fake.chat import CREATED
from tenbin.testing.fake.said import Said

ECHOED = ("instructions", "metadata", "previous_response_id", "temperature", "top_p", "max_output_tokens", "user")


def responses_answer(body: Mapping[str, Any], said: Said) -> bytes:
    """The whole answer as one JSON body."""
    return msgspec.json.encode(_response(body, said, is_done=True))


def responses_frames(body: Mapping[str, Any], said: Said) -> list[bytes]:
    """The stream: created, in progress, the item with its deltas, completed; numbered in sequence."""
    item = _item(said)
    where = {"output_index": 0, "item_id": item["id"]}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response(body, said, is_done=False)},
        {"type": "response.in_progress", "response": _response(body, said, is_done=False)},
        {"type": "response.output_item.added", "output_index": 0, "item": _started(item)},
    ]
    if said.tool:
        kind, key = _tool_words(said)
        events.append({"type": f"response.{kind}.delta", **where, "delta": said.tool.arguments})
        events.append({"type": f"response.{kind}.done", **where, key: said.tool.arguments, "name": said.tool.name})
    else:
        at = {**where, "content_index": 0}
        events.append({"type": "response.content_part.added", **at, "part": _part("")})
        for word in said.words:
            events.append({"type": "response.output_text.delta", **at, "delta": word, "logprobs": []})
        events.append({"type": "response.output_text.done", **at, "text": said.text, "logprobs": []})
        events.append({"type": "response.content_part.done", **at, "part": _part(said.text)})
    events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    whole = _response(body, said, is_done=True)
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return [_event({**event, "sequence_number": number}) for number, event in enumerate(events)]


def _event(value: dict[str, Any]) -> bytes:
    kind: str = value["type"]
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


def _response(body: Mapping[str, Any], said: Said, *, is_done: bool) -> dict[str, Any]:
    reason = {"length": "max_output_tokens", "filter": "content_filter"}.get(said.finish)
    status = ("incomplete" if reason else "completed") if is_done else "in_progress"
    return {
        **{name: body.get(name) for name in ECHOED},
        "id": f"resp_fake{said.number:06d}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if is_done and reason else None,
        "model": said.model,
        "output": [_item(said)] if is_done else [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "store": body.get("store", True),
        "usage": _usage(said) if is_done else None,
    }


def _usage(said: Said) -> dict[str, Any]:
    tokens = said.usage
    return {
        "input_tokens": tokens.input_tokens,
        "input_tokens_details": {"cached_tokens": tokens.cached_tokens},
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning_tokens},
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _tool_words(said: Said) -> tuple[str, str]:
    is_custom = said.tool is not None and said.tool.is_custom
    return ("custom_tool_call_input", "input") if is_custom else ("function_call_arguments", "arguments")


def _item(said: Said) -> dict[str, Any]:
    if said.tool:
        kind = "custom_tool_call" if said.tool.is_custom else "function_call"
        call = {"type": kind, "id": f"fc_fake{said.number:06d}", "call_id": f"call_fake{said.number:06d}"}
        return {**call, "name": said.tool.name, _tool_words(said)[1]: said.tool.arguments, "status": "completed"}
    head = {"type": "message", "id": f"msg_fake{said.number:06d}", "status": "completed", "role": "assistant"}
    return {**head, "content": [_part(said.text)]}


def _started(item: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": []} if "content" in item else {"input" if "input" in item else "arguments": ""}
    return {**item, **empty, "status": "in_progress"}
