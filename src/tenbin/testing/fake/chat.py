"""/v1/chat/completions: how OpenAI's API says it, whole and as a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.testing.fake.said import Said

CREATED = 1_780_000_000
FINISHES: Mapping[str, str] = {"stop": "stop", "length": "length", "tool": "tool_calls", "filter": "content_filter"}


def chat_answer(body: Mapping[str, Any], said: Said) -> bytes:
    """The whole answer as one JSON body; `n` choices that say the same."""
    choices = [
        {
            "index": index,
            "message": _message(body, said),
            "logprobs": _logprobs(body, said.words),
            "finish_reason": _finish(body, said),
        }
        for index in range(_n(body))
    ]
    whole = {"id": _id(said), "object": "chat.completion", "created": CREATED, "model": said.model, "choices": choices}
    return msgspec.json.encode({**whole, "usage": usage(said, _n(body)), "system_fingerprint": "fp_fake"})


def chat_frames(body: Mapping[str, Any], said: Said) -> list[bytes]:
    """The stream: the role, one frame per word, the end, the usage where asked for, [DONE]."""
    options = body.get("stream_options")
    asks_usage = isinstance(options, dict) and options.get("include_usage") is True
    head = {"id": _id(said), "object": "chat.completion.chunk", "created": CREATED, "model": said.model}
    tail: dict[str, Any] = {"usage": None} if asks_usage else {}

    def frame(index: int, delta: Any, finish: str | None = None, word: str | None = None) -> bytes:
        logprobs = _logprobs(body, () if word is None else (word,))
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return sse({**head, "choices": [choice], **tail})

    choices = range(_n(body))
    frames = [frame(index, {"role": "assistant", "content": None if said.tool else ""}) for index in choices]
    if said.tool:
        frames += [frame(index, delta) for index in choices for delta in _tool_deltas(body, said)]
    frames += [frame(index, {"content": word}, word=word) for word in said.words for index in choices]
    frames += [frame(index, {}, _finish(body, said)) for index in choices]
    if asks_usage:
        frames.append(sse({**head, "choices": [], "usage": usage(said, _n(body))}))
    return [*frames, b"data: [DONE]\n\n"]


def usage(said: Said, n: int = 1) -> dict[str, Any]:
    """The tokens as OpenAI counts them: all input, all output."""
    tokens = said.usage
    return {
        "prompt_tokens": tokens.input_tokens,
        "completion_tokens": tokens.output_tokens * n,
        "total_tokens": tokens.input_tokens + tokens.output_tokens * n,
        "prompt_tokens_details": {"cached_tokens": tokens.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning_tokens, "audio_tokens": 0},
    }


def sse(value: Any) -> bytes:
    """One server-sent event of OpenAI's kind."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _id(said: Said) -> str:
    return f"chatcmpl-fake{said.number:06d}"


def _n(body: Mapping[str, Any]) -> int:
    n = body.get("n")
    return n if isinstance(n, int) and 1 <= n <= 128 else 1


def _finish(body: Mapping[str, Any], said: Said) -> str:
    return "function_call" if said.tool and "functions" in body else FINISHES[said.finish]


def _message(body: Mapping[str, Any], said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if said.tool else said.text, "refusal": None}
    if said.tool and "functions" in body:
        message["function_call"] = {"name": said.tool.name, "arguments": said.tool.arguments}
    elif said.tool:
        message["tool_calls"] = [_tool_call(said, said.tool.arguments)]
    return message


def _tool_call(said: Said, arguments: str) -> dict[str, Any]:
    tool = said.tool
    name = tool.name if tool else ""
    call: dict[str, Any] = {"id": f"call_fake{said.number:06d}"}
    if tool and tool.is_custom:
        return {**call, "type": "custom", "custom": {"name": name, "input": arguments}}
    return {**call, "type": "function", "function": {"name": name, "arguments": arguments}}


def _tool_deltas(body: Mapping[str, Any], said: Said) -> list[dict[str, Any]]:
    """The call in three pieces: its name, then its arguments in two halves."""
    if said.tool is None:
        return []
    text = said.tool.arguments
    halves = [text[: len(text) // 2], text[len(text) // 2 :]]
    if "functions" in body:
        named: list[dict[str, Any]] = [{"function_call": {"name": said.tool.name, "arguments": ""}}]
        return named + [{"function_call": {"arguments": half}} for half in halves]
    kind, key = ("custom", "input") if said.tool.is_custom else ("function", "arguments")
    first = [{"tool_calls": [{"index": 0, **_tool_call(said, "")}]}]
    return first + [{"tool_calls": [{"index": 0, kind: {key: half}}]} for half in halves]


def _logprobs(body: Mapping[str, Any], words: tuple[str, ...]) -> dict[str, Any] | None:
    if body.get("logprobs") is not True:
        return None
    top = body.get("top_logprobs") or 0
    made = [{"token": word, "logprob": -0.1, "bytes": list(word.encode())} for word in words]
    return {"content": [{**token, "top_logprobs": [token] if top else []} for token in made], "refusal": None}
