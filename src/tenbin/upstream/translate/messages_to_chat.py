"""An Anthropic messages request as an OpenAI chat request.

Sources: Anthropic's messages reference, OpenAI's chat completions reference (2026-11); what has no counterpart is named
by `untranslatable`, what is left out without harm stands in `DROPPED`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tenbin.errors import RequestError
from tenbin.upstream.translate.attribution import without_attribution
from tenbin.upstream.translate.body import Json, mapping, objects, parts, string
from tenbin.upstream.translate.effort import effort_of
from tenbin.upstream.translate.model_rules import openai_rules
from tenbin.upstream.translate.parts import to_part
from tenbin.upstream.translate.tool_ids import ToolIds
from tenbin.upstream.translate.untranslatable import untranslatable

ERROR_MARK = "Error: "
"""Put before a failed tool's result: OpenAI has no is_error."""

_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "any": "required"}
_SERVICE_TIERS: Mapping[str, str] = {"auto": "auto", "standard_only": "default"}
_MAX_USER = 64
_PICTURES_FOLLOW = "(see the pictures and files in the next message)"


def messages_to_chat(body: Json, destination_model: str | None = None, max_output_tokens: int | None = None) -> Json:
    """The OpenAI chat request that means what an Anthropic messages request means; the input is not changed.

    `destination_model` (None: the body's) and `max_output_tokens` are the candidate's. Raises RequestError for a field
    of the wrong type or without counterpart.
    """
    reason = untranslatable(body, "anthropic", "openai", destination_model)
    if reason is not None:
        param, fix = reason.split()[0].rstrip(","), "change it, or name a candidate of the Anthropic dialect"
        raise RequestError(400, "unsupported_parameter", reason, param=param, fix=fix)
    rules = openai_rules(destination_model)
    out: Json = {"model": destination_model or string(body.get("model"), "model")}
    out["messages"] = [*_system(body.get("system"), "system"), *_conversation(body)]
    asked = body.get("max_tokens")
    if asked is not None and (not isinstance(asked, int) or isinstance(asked, bool) or asked < 1):
        raise RequestError(400, "invalid_value", "max_tokens must be a whole number from 1", param="max_tokens")
    caps = [cap for cap in (asked, max_output_tokens) if cap is not None]
    if caps:
        out[rules.max_tokens_field] = min(caps)
    if rules.samples:
        out.update({field: body[field] for field in ("temperature", "top_p") if body.get(field) is not None})
    _set_tools(out, body)
    _set_format(out, body)
    effort = effort_of(body) if rules.takes_effort else None
    if effort:
        out["reasoning_effort"] = effort
    if body.get("stop_sequences"):
        out["stop"] = body["stop_sequences"]
    user = string(mapping(body.get("metadata"), "metadata").get("user_id"), "metadata.user_id")
    if user:
        # OpenAI refuses longer ones; a digest tells users apart as well.
        out["user"] = user if len(user) <= _MAX_USER else hashlib.sha256(user.encode()).hexdigest()
    tier = body.get("service_tier")
    if isinstance(tier, str) and tier in _SERVICE_TIERS:
        out["service_tier"] = _SERVICE_TIERS[tier]
    if body.get("stream"):
        out.update({"stream": True, "stream_options": {"include_usage": True}})
    return out


def _texts(content: Any, param: str) -> Iterator[str]:
    return (string(part.get("text"), param) for part in parts(content, param) if part.get("type") == "text")


def _system(content: Any, param: str) -> list[Json]:
    text = "\n\n".join(filter(None, map(without_attribution, _texts(content, param))))
    return [{"role": "system", "content": text}] if text else []


def _conversation(body: Json) -> list[Json]:
    """The turns; results stand right behind their calls, as OpenAI wants it: user turns in a row are one turn here."""
    messages: list[Json] = []
    said: list[Json] = []
    ids = ToolIds()
    for at, message in enumerate(objects(body.get("messages"), "messages")):
        where = f"messages[{at}].content"
        role, content = message.get("role"), message.get("content")
        if role == "system":
            said += _system(content, where)
        elif role == "assistant":
            messages += [*said, *_assistant(parts(content, where), ids, where)]
            said = []
        elif role == "user":
            results, more = _user(parts(content, where), ids, where)
            messages += results
            said += more
        else:
            raise RequestError(
                400, "invalid_value", "role must be user, assistant or system", param=f"messages[{at}].role"
            )
    return [*messages, *said]


def _assistant(blocks: list[Json], ids: ToolIds, where: str) -> list[Json]:
    calls: list[Json] = []
    for block in blocks:
        if block.get("type") == "tool_use":
            arguments = msgspec.json.encode(mapping(block.get("input"), f"{where}.input")).decode()
            function = {"name": string(block.get("name"), f"{where}.name"), "arguments": arguments}
            call_id = ids.call(string(block.get("id"), f"{where}.id"))
            calls.append({"id": call_id, "type": "function", "function": function})
    text = "".join(_texts(blocks, where))
    if not text and not calls:
        return []
    message: Json = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = calls
    return [message]


def _user(blocks: list[Json], ids: ToolIds, where: str) -> tuple[list[Json], list[Json]]:
    """The results of tools, each its own message, and the message of all else that a user says, if there is any."""
    results: list[Json] = []
    said: list[Json] = []
    for block in blocks:
        if block.get("type") == "tool_result":
            text, media = _result(block, where)
            tool_id = ids.result(string(block.get("tool_use_id"), f"{where}.tool_use_id"))
            results.append({"role": "tool", "tool_call_id": tool_id, "content": text})
            said += media
        else:
            part = to_part(block)
            if part is not None:
                said.append(part)
    if not said:
        return results, []
    is_plain = len(said) == 1 and said[0]["type"] == "text"
    return results, [{"role": "user", "content": said[0]["text"] if is_plain else said}]


def _result(block: Json, where: str) -> tuple[str, list[Json]]:
    """The text of a tool's result, and the pictures and files, which OpenAI takes from a user only."""
    inner = parts(block.get("content"), f"{where}.content")
    converted = [part for part in map(to_part, inner) if part is not None]
    texts = (string(part["text"], f"{where}.content.text") for part in converted if part["type"] == "text")
    text = "\n\n".join(texts)
    media = [part for part in converted if part["type"] != "text"]
    if media:
        text = f"{text}\n\n{_PICTURES_FOLLOW}" if text else _PICTURES_FOLLOW
    if block.get("is_error") is True and not text.lower().startswith("error"):
        text = ERROR_MARK + text
    return text, media


def _set_tools(out: Json, body: Json) -> None:
    tools = objects(body.get("tools"), "tools")
    if not tools:
        return
    out["tools"] = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(tools)]
    choice = mapping(body.get("tool_choice"), "tool_choice")
    kind = choice.get("type")
    if kind == "tool":
        name = string(choice.get("name"), "tool_choice.name")
        out["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif isinstance(kind, str) and kind in _CHOICES:
        out["tool_choice"] = _CHOICES[kind]
    elif choice:
        raise RequestError(
            400, "invalid_value", "tool_choice.type must be auto, any, tool or none", param="tool_choice"
        )
    if choice.get("disable_parallel_tool_use") is True:
        out["parallel_tool_calls"] = False


def _tool(tool: Json, where: str) -> Json:
    function: Json = {"name": string(tool.get("name"), f"{where}.name")}
    if tool.get("description"):
        function["description"] = string(tool["description"], f"{where}.description")
    function["parameters"] = mapping(tool.get("input_schema"), f"{where}.input_schema")
    if tool.get("strict") is True:
        function["strict"] = True
    return {"type": "function", "function": function}


def _set_format(out: Json, body: Json) -> None:
    output = mapping(body.get("output_config"), "output_config")
    wanted = mapping(output.get("format") or body.get("output_format"), "output_config.format")
    if wanted:
        schema = mapping(wanted.get("schema"), "output_config.format.schema")
        asked = {"name": "answer", "schema": schema, "strict": True}
        out["response_format"] = {"type": "json_schema", "json_schema": asked}
