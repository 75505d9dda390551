"""An OpenAI chat request as an Anthropic messages request.

Sources: OpenAI's chat completions reference, Anthropic's messages reference (2026-11); what has no counterpart is
named by `untranslatable`, what is left out without harm stands in `DROPPED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenbin.errors import RequestError
from tenbin.upstream.translate.body import Json, call_input, mapping, objects, parts, string
from tenbin.upstream.translate.effort import set_thinking
from tenbin.upstream.translate.model_rules import AnthropicRules, anthropic_rules
from tenbin.upstream.translate.parts import text_block, to_block
from tenbin.upstream.translate.schema import to_anthropic_schema
from tenbin.upstream.translate.tool_ids import ToolIds
from tenbin.upstream.translate.untranslatable import untranslatable

_SERVICE_TIERS: Mapping[str, str] = {"auto": "auto", "priority": "auto", "fast": "auto", "scale": "auto"}
_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}


def chat_to_messages(body: Json, destination_model: str, max_output_tokens: int | None = None) -> Json:
    """The request for an Anthropic model that means what an OpenAI chat request means; the input is not changed.

    `max_output_tokens` is the candidate's cap. Raises RequestError for a field of the wrong type or without
    counterpart.
    """
    reason = untranslatable(body, "openai", "anthropic", destination_model)
    if reason is not None:
        param, fix = reason.split()[0].rstrip(","), "change it, or name a candidate of the OpenAI dialect"
        raise RequestError(400, "unsupported_parameter", reason, param=param, fix=fix)
    rules = anthropic_rules(destination_model)
    system, messages = _conversation(objects(body.get("messages"), "messages"), rules.takes_system_turns)
    if not messages and system:
        messages, system = [{"role": "user", "content": system}], []
    out: Json = {"model": destination_model, "max_tokens": _max_tokens(body, rules, max_output_tokens)}
    if system:
        is_plain = len(system) == 1 and system[0].keys() == {"type", "text"}
        out["system"] = system[0]["text"] if is_plain else system
    out["messages"] = messages
    _set_tools(out, body, messages)
    _set_format(out, body)
    set_thinking(out, body.get("reasoning_effort"), rules, has_cap=_asked_tokens(body) is not None)
    _set_sampling(out, body, rules)
    stop = body.get("stop")
    if stop:
        out["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    user = body.get("safety_identifier") or body.get("user")
    if user:
        out["metadata"] = {"user_id": string(user, "user")}
    tier = body.get("service_tier")
    if tier is not None:
        out["service_tier"] = _SERVICE_TIERS.get(string(tier, "service_tier"), "standard_only")
    if body.get("stream"):
        out["stream"] = True
    return out


def _asked_tokens(body: Json) -> int | None:
    for field in ("max_completion_tokens", "max_tokens"):
        value = body.get(field)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise RequestError(400, "invalid_value", f"{field} must be a whole number from 1", param=field)
        return value
    return None


def _max_tokens(body: Json, rules: AnthropicRules, cap: int | None) -> int:
    asked = _asked_tokens(body)
    if asked is None:
        return cap or rules.max_tokens
    return min(asked, cap) if cap else asked


def _conversation(history: list[Json], takes_system_turns: bool) -> tuple[list[Json], list[Json]]:
    """The system blocks and the turns, neighbours of one role joined.

    A later system message stays in its place where the model takes it there, which is after what the user says and
    before the assistant's answer; otherwise it moves to the front. The results of tools stand first in their turn.
    """
    system: list[Json] = []
    later: list[Json] = []
    turns: list[Json] = []
    ids = ToolIds()
    for at, message in enumerate(history):
        role, where = message.get("role"), f"messages[{at}]"
        content = parts(message.get("content"), f"{where}.content")
        if role == "assistant":
            blocks = _assistant_blocks(message, content, ids, where)
        elif role == "tool":
            blocks = [_result_block(message, content, ids, where)]
        else:
            blocks = _blocks(content)
        if blocks and isinstance(message.get("cache_control"), dict):
            blocks[-1]["cache_control"] = message["cache_control"]
        if role in {"system", "developer"}:
            (later if takes_system_turns and turns else system).extend(blocks)
            continue
        role = "assistant" if role == "assistant" else "user"
        if role == "assistant" and blocks:
            later = _place(later, turns, system)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    _place(later, turns, system)
    for turn in turns:
        turn["content"].sort(key=_is_no_result)
    _end_cleanly(turns)
    return system, turns


def _place(later: list[Json], turns: list[Json], system: list[Json]) -> list[Json]:
    """Put waiting system blocks after the user's turn, or in front of all where there is none; nothing waits then."""
    if later and turns[-1]["role"] == "user":
        turns.append({"role": "system", "content": later})
    else:
        system += later
    return []


def _is_no_result(block: Json) -> bool:
    return str(block["type"]) != "tool_result"


def _blocks(content: list[Json]) -> list[Json]:
    return [block for block in map(to_block, content) if block is not None]


def _assistant_blocks(message: Json, content: list[Json], ids: ToolIds, where: str) -> list[Json]:
    blocks = _blocks(content)
    refusal = text_block(message.get("refusal"))
    if refusal:
        blocks.append(refusal)
    for at, call in enumerate(objects(message.get("tool_calls"), f"{where}.tool_calls")):
        place = f"{where}.tool_calls[{at}]"
        function = mapping(call.get("function"), f"{place}.function")
        arguments = string(function.get("arguments"), f"{place}.function.arguments")
        name = string(function.get("name"), f"{place}.function.name")
        call_id = ids.call(string(call.get("id"), f"{place}.id"))
        blocks.append({"type": "tool_use", "id": call_id, "name": name, "input": call_input(arguments)})
    return blocks


def _result_block(message: Json, content: list[Json], ids: ToolIds, where: str) -> Json:
    tool_id = ids.result(string(message.get("tool_call_id"), f"{where}.tool_call_id"))
    block: Json = {"type": "tool_result", "tool_use_id": tool_id}
    blocks = _blocks(content)
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        block["content"] = blocks[0]["text"]
    elif blocks:
        block["content"] = blocks
    return block


def _end_cleanly(turns: list[Json]) -> None:
    """Trim a closing assistant text, which Anthropic continues: it must not end with white space."""
    last = turns[-1]["content"][-1] if turns and turns[-1]["role"] == "assistant" else {}
    if last.get("type") == "text":
        last["text"] = last["text"].rstrip()


def _set_tools(out: Json, body: Json, messages: list[Json]) -> None:
    tools = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(objects(body.get("tools"), "tools"))]
    choice: Json | None = None
    if tools:
        choice = _choice(body.get("tool_choice"))
        if body.get("parallel_tool_calls") is False and (choice or {}).get("type") != "none":
            choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    else:
        # Anthropic wants the tools of a history declared; `none` keeps them out of reach, as the caller has it.
        used = [block for turn in messages for block in turn["content"] if block["type"] == "tool_use"]
        names = dict.fromkeys(block["name"] for block in used)
        tools = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in names]
        choice = {"type": "none"} if tools else None
    if tools:
        out["tools"] = tools
    if choice:
        out["tool_choice"] = choice


def _tool(tool: Json, where: str) -> Json:
    function = mapping(tool.get("function"), f"{where}.function")
    schema = mapping(function.get("parameters"), f"{where}.function.parameters") or {"properties": {}}
    if schema.get("type") != "object":
        schema = {"type": "object", **{key: value for key, value in schema.items() if key != "type"}}
    made: Json = {"name": string(function.get("name"), f"{where}.function.name")}
    if function.get("description"):
        made["description"] = string(function["description"], f"{where}.function.description")
    made["input_schema"] = to_anthropic_schema(schema) if function.get("strict") else schema
    if function.get("strict"):
        made["strict"] = True
    cache = tool.get("cache_control") or function.get("cache_control")
    if isinstance(cache, dict):
        made["cache_control"] = cache
    return made


def _choice(choice: Any) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    function = mapping(mapping(choice, "tool_choice").get("function"), "tool_choice.function")
    return {"type": "tool", "name": string(function.get("name"), "tool_choice.function.name")}


def _set_format(out: Json, body: Json) -> None:
    wanted = mapping(body.get("response_format"), "response_format")
    if wanted.get("type") != "json_schema":
        return
    asked = mapping(wanted.get("json_schema"), "response_format.json_schema")
    schema = mapping(asked.get("schema"), "response_format.json_schema.schema")
    out["output_config"] = {"format": {"type": "json_schema", "schema": to_anthropic_schema(schema)}}


def _set_sampling(out: Json, body: Json, rules: AnthropicRules) -> None:
    is_thinking = out.get("thinking", {}).get("type") in ("enabled", "adaptive")
    temperature, top_p = body.get("temperature"), body.get("top_p")
    for field, value in (("temperature", temperature), ("top_p", top_p)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise RequestError(400, "invalid_type", f"{field} must be a number", param=field)
    if not rules.samples or is_thinking:
        return
    if temperature is not None and top_p is not None and not rules.samples_both:
        # 1 is the default of both; the one that says something is kept.
        temperature, top_p = (None, top_p) if temperature == 1 != top_p else (temperature, None)
    if temperature is not None:
        out["temperature"] = min(temperature, 1)
    if top_p is not None:
        out["top_p"] = top_p
