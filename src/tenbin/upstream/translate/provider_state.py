"""State that only the provider who wrote it can read: found in a history, and taken out of it.

Thinking is signed, reasoning may be encrypted, a tool loop is half a turn: none of it may cross to another family of
models. What is taken out is the state; what was said and what the tools returned stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenbin.types import Message
from tenbin.upstream.translate.body import Json
from tenbin.upstream.translate.tool_ids import ToolIds

THINKING_SIGNATURE = "thinking_signature"
UNSIGNED_THINKING = "unsigned_thinking"
REDACTED_THINKING = "redacted_thinking"
ENCRYPTED_REASONING = "encrypted_reasoning"
OPEN_TOOL_CALLS = "open_tool_calls"

_THINKING = ("thinking", "redacted_thinking", "reasoning")
_ENCRYPTED = ("encrypted_content", "reasoning_details", "thinking_blocks", "thought_signature", "extra_content")
_PLAIN = ("reasoning_content", "reasoning")
_REASONING = frozenset({*_PLAIN, *_ENCRYPTED})
_BESIDE = _REASONING | {"tool_calls"}
"""What bears state beside a content that is a plain text."""


def _parts(message: Mapping[str, Any], field: str = "content") -> list[Json]:
    value = message.get(field)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def state_in(messages: Sequence[Message], dialect: str) -> frozenset[str]:
    """What of a history only its author's family can use.

    Of: `thinking_signature`, `unsigned_thinking` (without a signature: Anthropic refuses it, Mistral the
    `reasoning_content` of a message, OpenAI the thinking that Mistral writes into a content), `redacted_thinking`,
    `encrypted_reasoning`, `open_tool_calls` (the history ends inside a tool loop).
    """
    found: set[str] = set()
    for message in messages:
        if not isinstance(message, Mapping):
            continue
        if isinstance(message.get("content"), str) and _BESIDE.isdisjoint(message):
            continue
        carriers = [message, *_parts(message, "tool_calls"), *_parts(message)] if message.get("role") else [message]
        if any(carrier.get(key) for carrier in carriers for key in _ENCRYPTED):
            found.add(ENCRYPTED_REASONING)
        if dialect != "anthropic":
            is_thought = any(part.get("type") in _THINKING for part in _parts(message))
            if is_thought or any(message.get(key) for key in _PLAIN):
                found.add(UNSIGNED_THINKING)
            continue
        for part in _parts(message):
            if part.get("type") == "redacted_thinking":
                found.add(REDACTED_THINKING)
            elif part.get("type") == "thinking":
                found.add(THINKING_SIGNATURE if part.get("signature") else UNSIGNED_THINKING)
    if is_mid_tool_loop(messages):
        found.add(OPEN_TOOL_CALLS)
    return frozenset(found)


def is_mid_tool_loop(messages: Sequence[Message]) -> bool:
    """Whether a history, in either dialect, ends with a tool call or with the result of one."""
    if not messages or not isinstance(messages[-1], Mapping):
        return False
    last = messages[-1]
    if last.get("role") in ("tool", "function") or last.get("tool_calls") or last.get("function_call"):
        return True
    return any(part.get("type") in ("tool_use", "tool_result") for part in _parts(last))


def strip_state(body: Mapping[str, Any], keeps: int = 0) -> Json:
    """A request, in either dialect, that a model of another family can take; the input is not changed.

    Thinking and reasoning are gone, with turns that held nothing else; tool-call ids are neutral, the same for the same
    history, and still tie each result to its call. The last messages, `keeps` of them, stay as they are.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        return dict(body)
    ids = ToolIds(renames_all=True)
    end = max(len(messages) - keeps, 0)
    stripped = [_strip_message(message, ids) for message in messages[:end]]
    return {**body, "messages": [*(message for message in stripped if message is not None), *messages[end:]]}


def without_unsigned(messages: Sequence[Any]) -> Sequence[Any]:
    """Messages of Anthropic's dialect without thinking that bears no signature; the same object where there is none.

    The translator makes such of other families' reasoning. Claude refuses a whole request for it.
    """
    kept = [_without_unsigned(message) for message in messages]
    if all(new is old for new, old in zip(kept, messages, strict=True)):
        return messages
    return [message for message in kept if message is not None]


def opens_without_thinking(messages: Sequence[Any]) -> bool:
    """Whether a history in Anthropic's dialect ends in a tool loop whose last call no thinking precedes.

    Claude up to 4.5 refuses to go on thinking there.
    """
    if not is_mid_tool_loop(messages):
        return False
    last = next((m for m in reversed(messages) if isinstance(m, Mapping) and m.get("role") == "assistant"), {})
    blocks = _parts(last)
    return bool(blocks) and blocks[0].get("type") not in _THINKING


def without_thinking_edits(management: Any) -> Any:
    """Anthropic's `context_management` without what prunes thinking, refused where nothing thinks; None for none."""
    edits = management.get("edits") if isinstance(management, Mapping) else None
    if not isinstance(edits, list):
        return management
    kept = [edit for edit in edits if not (isinstance(edit, dict) and "thinking" in str(edit.get("type")))]
    return {**management, "edits": kept} if kept else None


def _without_unsigned(message: Any) -> Any:
    content = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(content, list):
        return message
    kept = [part for part in content if not _is_unsigned(part)]
    if len(kept) == len(content):
        return message
    return {**message, "content": kept} if kept else None


def _is_unsigned(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "thinking" and not part.get("signature")


def _strip_message(message: Any, ids: ToolIds) -> Any:
    if not isinstance(message, Mapping):
        return message
    new = {key: value for key, value in message.items() if key not in _REASONING}
    content = new.get("content")
    if isinstance(content, list):
        kept = [part for part in content if not (isinstance(part, dict) and part.get("type") in _THINKING)]
        if content and not kept and not new.get("tool_calls"):
            return None
        new["content"] = [_strip_part(part, ids) for part in kept]
    if isinstance(new.get("tool_calls"), list):
        new["tool_calls"] = [_strip_part(call, ids) for call in new["tool_calls"]]
    if isinstance(new.get("tool_call_id"), str):
        new["tool_call_id"] = ids.result(new["tool_call_id"])
    return new


def _strip_part(part: Any, ids: ToolIds) -> Any:
    """A content part, or a tool call of the OpenAI dialect, without state and with its neutral id."""
    if not isinstance(part, dict):
        return part
    new = {key: value for key, value in part.items() if key not in _REASONING}
    kind = part.get("type")
    if kind == "tool_result" and isinstance(part.get("tool_use_id"), str):
        new["tool_use_id"] = ids.result(part["tool_use_id"])
    elif isinstance(part.get("id"), str) and (kind in ("tool_use", "custom") or "function" in part):
        new["id"] = ids.call(part["id"])
    return new
