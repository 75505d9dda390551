"""What a model would say to a request, before it is put into a dialect: words, a tool call, an end, tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tenbin.testing.fake.answer import Answer, Finish
from tenbin.testing.fake.schema import instance_of
from tenbin.types import Usage

ECHOED_WORDS = 40


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of one tool: `arguments` is JSON text, or free text where the tool is a custom one."""

    name: str
    arguments: str
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One answer without its dialect; `words` hold their own spaces, one word is one token and one chunk."""

    number: int
    model: str
    words: tuple[str, ...]
    tool: ToolCall | None
    thinking: str | None
    finish: Finish
    usage: Usage

    @property
    def text(self) -> str:
        return "".join(self.words)


def say(body: Mapping[str, Any], number: int, answer: Answer, answer_tokens: int | None) -> Said:
    """The answer to a decoded request of any dialect: it names the model and repeats the last turn's first words.

    Tokens in: a quarter of the characters of all texts, rounded up. Tokens out: the words, cut at the request's cap.
    """
    model = str(body.get("model", "fake-model"))
    texts = list(texts_of(body))
    tool = asked_tool(body) if answer.text is None else None
    text = answer.text
    if text is None:
        text = "" if tool else _composed(body, model, texts[-1] if texts else "", answer_tokens)
    words = split_words(text)
    finish: Finish = "tool" if tool else "stop"
    cap = body.get("max_completion_tokens") or body.get("max_output_tokens") or body.get("max_tokens")
    if answer.text is None and isinstance(cap, int) and len(words) > cap:
        words, finish = words[:cap], "length"
    thinks = isinstance(body.get("thinking"), dict) and body["thinking"].get("type") in ("enabled", "adaptive")
    thinking = "Let me see what was asked." if thinks and answer.text is None else None
    tokens_out = len(words) or (len(tool.arguments) // 4 + 1 if tool else 0)
    usage = answer.usage or Usage(max(1, (sum(map(len, texts)) + 3) // 4), tokens_out)
    return Said(number, model, words, tool, thinking, answer.finish or finish, usage)


def _composed(body: Mapping[str, Any], model: str, last: str, answer_tokens: int | None) -> str:
    form = body.get("response_format") or body.get("output_format")
    for holder in ("text", "output_config"):
        if form is None and isinstance(body.get(holder), dict):
            form = body[holder].get("format")
    form = form if isinstance(form, dict) else {}
    if form.get("type") == "json_schema":
        schema = (form.get("json_schema") or form).get("schema") or {}
        return msgspec.json.encode(instance_of(schema)).decode()
    if form.get("type") == "json_object":
        return msgspec.json.encode({"model": model, "answer": last[:80]}).decode()
    words = f"{model} was asked: {last}".split(None, ECHOED_WORDS)[:ECHOED_WORDS]
    if answer_tokens is not None:
        words = (words * (answer_tokens // len(words) + 1))[:answer_tokens]
    return " ".join(words)


def split_words(text: str) -> tuple[str, ...]:
    """The text in pieces that end behind each space; joined, they are the text again."""
    parts = text.split(" ")
    words = [part + " " for part in parts[:-1]]
    return (*words, parts[-1]) if parts[-1] else tuple(words)


def texts_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Every text of the request, in its order, the last turn's last."""
    for name in ("instructions", "system"):
        yield from _texts(body.get(name))
    yield from _texts(body.get("messages"))
    yield from _texts(body.get("input"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for name in ("text", "content", "thinking"):
            yield from _texts(value.get(name))


def asked_tool(body: Mapping[str, Any]) -> ToolCall | None:
    """The call that `tool_choice` (or the older `function_call`) insists on, None where it leaves the choice."""
    tools = [_plain(tool) for tool in body.get("tools") or body.get("functions") or () if isinstance(tool, dict)]
    choice = body.get("tool_choice", body.get("function_call"))
    if isinstance(choice, dict):
        name = _plain(choice).get("name")
        if name is None and choice.get("type") != "any":
            return None
    elif choice == "required":
        name = None
    else:
        return None
    for tool in tools:
        if name in (None, tool.get("name")):
            if tool["is_custom"]:
                return ToolCall(str(tool.get("name")), "free text", True)
            schema = tool.get("parameters") or tool.get("input_schema") or {}
            return ToolCall(str(tool.get("name")), msgspec.json.encode(instance_of(schema)).decode())
    return None


def _plain(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool, or the choice of one, without the wrapper of its dialect."""
    inner = tool.get("function") or tool.get("custom")
    # Anthropic's own "custom" is the ordinary tool, with its schema beside it.
    is_custom = tool.get("type") == "custom" and "input_schema" not in tool
    return {**(inner if isinstance(inner, dict) else tool), "is_custom": is_custom}
