"""Whole answers, from each dialect to the other.

An id keeps the other side's id inside (`chatcmpl-msg_...`), so that both can be found in either's logs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tenbin.errors import NetworkError, RequestError
from tenbin.upstream.translate.body import Json, call_input, mapping, objects, string
from tenbin.upstream.translate.stop_reasons import to_finish_reason, to_stop_reason
from tenbin.upstream.translate.tool_ids import UniqueIds
from tenbin.upstream.translate.usage_counts import to_anthropic_usage, to_openai_usage
from tenbin.upstream.usage import anthropic_usage, openai_usage

CHAT_ID = "chatcmpl-"
MESSAGE_ID = "msg_"


def prefixed(answer_id: Any, prefix: str) -> str:
    """An id of the other dialect with this one's prefix in front; one that has it already, stays."""
    known = answer_id if isinstance(answer_id, str) else ""
    return known if known.startswith(prefix) else prefix + known


def stated(name: Any) -> str:
    """A model's name as an answer states it: no answer is lost for one that is no text."""
    return name if isinstance(name, str) else ""


def explained(details: Any) -> str | None:
    """Why Anthropic's model refused, in its words; None where it does not say."""
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) else None


def message_to_completion(answer: Json, *, created: int) -> Json:
    """An Anthropic answer as an OpenAI chat completion, `created` at this time (Unix seconds).

    Thinking becomes `reasoning_content`, signatures are left out. Raises NetworkError for an answer that is none.
    """
    try:
        return _completion(answer, created)
    except RequestError as error:
        raise NetworkError(f"the upstream's answer is not an Anthropic message: {error.what}") from error


def _completion(answer: Json, created: int) -> Json:
    blocks = objects(answer.get("content"), "content")
    text = "".join(string(block.get("text"), "content.text") for block in blocks if block.get("type") == "text")
    thought = "".join(
        string(block.get("thinking"), "content.thinking") for block in blocks if block.get("type") == "thinking"
    )
    calls = [
        {
            "id": string(block.get("id"), "content.id"),
            "type": "function",
            "function": {
                "name": string(block.get("name"), "content.name"),
                "arguments": msgspec.json.encode(mapping(block.get("input"), "content.input")).decode(),
            },
        }
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    message: Json = {"role": "assistant", "content": text or None, "refusal": None}
    if answer.get("stop_reason") == "refusal":
        message["refusal"] = explained(answer.get("stop_details"))
    if calls:
        message["tool_calls"] = calls
    elif not text:
        message["content"] = ""
    if thought:
        message["reasoning_content"] = thought
    finish = to_finish_reason(answer.get("stop_reason"))
    return {
        "id": prefixed(answer.get("id"), CHAT_ID),
        "object": "chat.completion",
        "created": created,
        "model": stated(answer.get("model")),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": to_openai_usage(anthropic_usage(msgspec.json.encode(answer.get("usage")))),
    }


def completion_to_message(answer: Json, *, thinking: bool = False) -> Json:
    """An OpenAI chat completion as an Anthropic answer.

    `thinking`: whether the client asked for thinking, only then does reasoning become a (never signed) block. Raises
    NetworkError for an answer that is none.
    """
    try:
        return _message(answer, thinking)
    except RequestError as error:
        raise NetworkError(f"the upstream's answer is not an OpenAI chat completion: {error.what}") from error


def _message(answer: Json, thinking: bool) -> Json:
    choices = objects(answer.get("choices"), "choices")
    if not choices:
        raise NetworkError("the upstream's answer is not an OpenAI chat completion: it has no choices")
    message = mapping(choices[0].get("message"), "choices[0].message")
    blocks: list[Json] = []
    thought = message.get("reasoning_content") or message.get("reasoning")
    if thinking and isinstance(thought, str) and thought:
        blocks.append({"type": "thinking", "thinking": thought, "signature": ""})
    refusal = string(message.get("refusal"), "message.refusal")
    text = content_text(message.get("content")) or refusal
    if text:
        blocks.append({"type": "text", "text": text, "citations": None})
    calls = objects(message.get("tool_calls"), "message.tool_calls")
    ids = UniqueIds()
    for call in calls:
        function = mapping(call.get("function"), "tool_calls.function")
        call_id = ids.unique(string(call.get("id"), "tool_calls.id"), answer.get("id"))
        name = string(function.get("name"), "tool_calls.function.name")
        given = function.get("arguments")
        if not isinstance(given, dict):  # some servers give the object itself
            given = call_input(string(given, "tool_calls.function.arguments"))
        blocks.append({"type": "tool_use", "id": call_id, "name": name, "input": given})
    finish = choices[0].get("finish_reason")
    stop = to_stop_reason(finish, has_calls=bool(calls), has_refused=bool(refusal))
    details = {"type": "refusal", "category": None, "explanation": refusal or None} if stop == "refusal" else None
    return {
        "id": prefixed(answer.get("id"), MESSAGE_ID),
        "type": "message",
        "role": "assistant",
        "model": stated(answer.get("model")),
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": details,
        "usage": to_anthropic_usage(openai_usage(msgspec.json.encode(answer.get("usage")))),
    }


def content_text(content: Any) -> str:
    """The text of an OpenAI message's or delta's content, which some servers write as a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict) and "text" in part)
