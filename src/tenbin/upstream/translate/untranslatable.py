"""Why a request cannot be said in the other dialect: the field is named, nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenbin.upstream.translate.body import Json
from tenbin.upstream.translate.fields import field_without_counterpart
from tenbin.upstream.translate.model_rules import anthropic_rules
from tenbin.upstream.translate.parts import text_block, to_block, to_part
from tenbin.upstream.translate.schema import has_free_names, is_openai_strict

_OTHER: Mapping[str, str] = {"openai": "Anthropic messages API", "anthropic": "OpenAI chat API"}
_MAX_STOPS = 4
_MAX_TOOL_NAME = 64
_PLAIN_TOOL_KEYS = frozenset(
    {"name", "description", "input_schema", "type", "strict", "cache_control", "eager_input_streaming"}
)
_WITHOUT_BLOCK = ("text", "refusal", "thinking")
"""Parts of a chat message of which nothing may be left, and nothing is lost."""
_IN_HISTORY = ("tool_use", "tool_result", "thinking", "redacted_thinking")


def untranslatable(body: Json, source: str, target: str, model: str | None = None) -> str | None:
    """Why a request in the dialect `source` cannot be said in `target`, None if it can.

    `model` is the target's model: some fields exist only for some generations (None: nothing is held against it but a
    closing assistant turn).
    """
    if source == target:
        return None
    field = field_without_counterpart(body, source)
    if field is not None:
        return f"{field} has no counterpart in the {_OTHER[source]}"
    faults = _chat_faults(body, model) if source == "openai" else _messages_faults(body)
    for fault in faults:
        return f"{fault} has no counterpart in the {_OTHER[source]}"
    return None


def _dicts(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _chat_faults(body: Json, model: str | None) -> Iterator[str]:
    rules = anthropic_rules(model)
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_object" or (kind == "json_schema" and not rules.is_structured):
        yield f"response_format {kind}"
    asked = wanted.get("json_schema") if isinstance(wanted, dict) else None
    if isinstance(asked, dict) and has_free_names(asked.get("schema")):
        yield "response_format json_schema with free property names"
    stops = body.get("stop")
    for stop in [stops] if isinstance(stops, str) else stops if isinstance(stops, list) else []:
        if isinstance(stop, str) and not stop.strip():
            yield f"stop {stop!r} (only white space)"
    for at, tool in enumerate(_dicts(body.get("tools"))):
        if tool.get("type") != "function":
            yield f"tools[{at}] of type {tool.get('type')}"
        function = tool.get("function")
        if isinstance(function, dict) and function.get("strict") and has_free_names(function.get("parameters")):
            yield f"tools[{at}].strict with free property names"
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") != "function":
        yield f"tool_choice {choice.get('type')}"
    if body.get("tools") and not rules.forces_tools and (isinstance(choice, dict) or choice == "required"):
        yield "tool_choice (this model's tools cannot be forced)"
    messages = _dicts(body.get("messages"))
    for at, message in enumerate(messages):
        yield from _chat_message_faults(message, f"messages[{at}]")
    if (silent := _silent_turn(messages)) is not None:
        yield f"messages[{silent}], a turn that says nothing,"
    last = messages[-1] if messages else {}
    if last.get("role") == "assistant" and not last.get("tool_calls") and not rules.prefills:
        yield f"messages[{len(messages) - 1}], a closing assistant turn,"


def _silent_turn(messages: list[Json]) -> int | None:
    """The message without a word that Claude would have to answer; None where something is said to it.

    Anthropic takes no empty text, so such a turn is left out: alone, there is no message left, and behind an answer
    that answer would be gone on with.
    """
    spoken = [at for at, message in enumerate(messages) if _says(message)]
    said = [at for at in spoken if messages[at].get("role") not in ("system", "developer")]
    if not messages or (spoken and not said) or (said and messages[said[-1]].get("role") != "assistant"):
        return None
    asked = [at for at in range(said[-1] + 1 if said else 0, len(messages)) if messages[at].get("role") == "user"]
    return asked[0] if asked else None if said else 0


def _says(message: Json) -> bool:
    """Whether anything of a message is left in a turn of Anthropic's."""
    calls = message.get("tool_calls")
    if message.get("role") == "tool" or calls not in (None, []) or text_block(message.get("refusal")):
        return True
    content = message.get("content")
    if isinstance(content, list):
        return any(not isinstance(part, dict) or to_block(part) for part in content)
    return content is not None and (not isinstance(content, str) or text_block(content) is not None)


def _chat_message_faults(message: Json, where: str) -> Iterator[str]:
    if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
        yield f"{where}.role {message.get('role')}"
    for field in ("audio", "function_call"):
        if message.get(field) is not None:
            yield f"{where}.{field}"
    for at, call in enumerate(_dicts(message.get("tool_calls"))):
        if call.get("type", "function") != "function":
            yield f"{where}.tool_calls[{at}] of type {call.get('type')}"
    for at, part in enumerate(_dicts(message.get("content"))):
        if part.get("type") not in _WITHOUT_BLOCK and to_block(part) is None:
            yield f"{where}.content[{at}] ({part.get('type')})"


def _messages_faults(body: Json) -> Iterator[str]:
    if body.get("max_tokens") == 0:
        yield "max_tokens 0 (filling the cache)"
    stops = body.get("stop_sequences")
    if isinstance(stops, list) and len(stops) > _MAX_STOPS:
        yield f"stop_sequences of more than {_MAX_STOPS}"
    for at, tool in enumerate(_dicts(body.get("tools"))):
        yield from _tool_faults(tool, f"tools[{at}]")
    output = body.get("output_config")
    wanted = (output.get("format") if isinstance(output, dict) else None) or body.get("output_format")
    if isinstance(output, dict):
        yield from (f"output_config.{key}" for key in output if key not in {"effort", "format"})
    if isinstance(wanted, dict) and not is_openai_strict(wanted.get("schema")):
        yield "output_config.format with optional or open properties"
    messages = _dicts(body.get("messages"))
    for at, message in enumerate(messages):
        for place, block in enumerate(_dicts(message.get("content"))):
            yield from _block_faults(block, f"messages[{at}].content[{place}]")
    if messages and messages[-1].get("role") == "assistant":
        yield f"messages[{len(messages) - 1}], a prefilled assistant turn,"


def _tool_faults(tool: Json, where: str) -> Iterator[str]:
    if tool.get("type") not in (None, "custom"):
        yield f"{where} of type {tool.get('type')}"
    if len(str(tool.get("name"))) > _MAX_TOOL_NAME:
        yield f"{where}.name longer than {_MAX_TOOL_NAME} characters"
    if tool.get("strict") and not is_openai_strict(tool.get("input_schema")):
        yield f"{where}.strict with optional or open properties"
    for key, value in tool.items():
        asks_nothing = value is None or (key == "allowed_callers" and value == ["direct"])
        if key not in _PLAIN_TOOL_KEYS and not asks_nothing and not (key == "defer_loading" and value is False):
            yield f"{where}.{key}"


def _block_faults(block: Json, where: str) -> Iterator[str]:
    kind = block.get("type")
    if kind == "tool_result":
        for at, inner in enumerate(_dicts(block.get("content"))):
            if to_part(inner) is None:
                yield f"{where}.content[{at}] ({inner.get('type')})"
    elif kind not in _IN_HISTORY and to_part(block) is None:
        yield f"{where} ({kind})"
    citations = block.get("citations")
    if kind == "document" and isinstance(citations, dict) and citations.get("enabled"):
        yield f"{where}.citations"
    if block.get("toolset_name") is not None:
        yield f"{where}.toolset_name"
