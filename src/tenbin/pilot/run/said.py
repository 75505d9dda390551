"""A prompt as it is said to one candidate: streamed, capped, in its dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tenbin.features.routing_text import read_conversation
from tenbin.features.token_count import count_tokens
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.run.bound import cap_tokens, input_bound_tokens
from tenbin.types import Message
from tenbin.upstream.destination import Destination
from tenbin.upstream.translate import chat_to_messages, messages_to_chat
from tenbin.upstream.translate.effort import claude_effort, no_thinking
from tenbin.upstream.translate.model_rules import anthropic_rules, is_claude, openai_rules

CHAT, MESSAGES = "/chat/completions", "/messages"
ANTHROPIC_PARTS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document"})
"""Parts of content that only Anthropic's clients write."""


@dataclass(frozen=True, slots=True)
class Said:
    """A request as it goes out, and an upper bound of its input tokens."""

    path: str
    body: bytes
    input_bound_tokens: int
    messages: Sequence[Message]

    def likely_input_tokens(self) -> float:
        """How many input tokens it probably has; counted anew each time, for few ask."""
        return float(count_tokens([read_conversation(self.messages).text])[0])


def say(prompt: PilotPrompt, destination: Destination) -> Said:
    """The request that asks a candidate this prompt.

    Raises RequestError where its dialect has no words for it.
    """
    messages: Sequence[Message] = prompt.messages or ({"role": "user", "content": prompt.prompt},)
    candidate = destination.candidate
    cap = cap_tokens(candidate)
    is_foreign = (destination.dialect == "anthropic") != _is_anthropic(messages)
    if destination.dialect == "anthropic":
        body = _messages_body(messages, destination.model, cap)
        if is_foreign:
            chat: dict[str, Any] = {"messages": [dict(message) for message in messages], "max_tokens": cap}
            if candidate.reasoning_effort is not None:
                chat["reasoning_effort"] = candidate.reasoning_effort
            body = chat_to_messages(chat, destination.model, cap)
        elif candidate.reasoning_effort is not None:
            body |= _effort(candidate.reasoning_effort, destination.model)
        body["stream"] = True
        path = MESSAGES
    else:
        body = {"model": destination.model, "messages": list(messages)}
        if is_foreign:
            body = messages_to_chat(_messages_body(messages, destination.model, cap), destination.model, cap)
        body[openai_rules(destination.model).max_tokens_field] = cap
        if candidate.reasoning_effort is not None:
            body["reasoning_effort"] = candidate.reasoning_effort
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        path = CHAT
    return Said(path, msgspec.json.encode(body), input_bound_tokens(messages), messages)


def _effort(effort: str, model: str) -> dict[str, Any]:
    """A candidate's effort as the gateway asks for it on `/v1/messages`, as this model takes it."""
    rules = anthropic_rules(model)
    if off := no_thinking(effort, rules):
        return {"thinking": off}
    level = claude_effort(effort, rules) if is_claude(model) else effort
    return {"output_config": {"effort": level}} if level else {}


def _is_anthropic(messages: Sequence[Message]) -> bool:
    """Whether these are turns as Anthropic's clients write them; plain ones read the same in both dialects."""
    contents = [message.get("content") for message in messages]
    parts = [part for content in contents if isinstance(content, list | tuple) for part in content]
    return any(isinstance(part, dict) and part.get("type") in ANTHROPIC_PARTS for part in parts)


def _messages_body(messages: Sequence[Message], model: str, cap: int) -> dict[str, Any]:
    """A request in Anthropic's own words: its system texts stand beside the turns."""
    body: dict[str, Any] = {"model": model, "max_tokens": cap}
    system = [message.get("content") for message in messages if message.get("role") == "system"]
    texts = [text for text in system if isinstance(text, str)]
    blocks = [block for content in system if isinstance(content, list | tuple) for block in content]
    if system:
        body["system"] = "\n\n".join(texts) if not blocks else [{"type": "text", "text": t} for t in texts] + blocks
    body["messages"] = [dict(message) for message in messages if message.get("role") != "system"]
    return body
