"""The text that is embedded, and the whole conversation in numbers: one function for fit and for serve.

The last user turn carries most of what decides the difficulty; head and tail of the rest carry the task and what came
just before. Contents may be plain strings or lists of parts as OpenAI and Anthropic clients send them.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tenbin.types import Message

MAX_CHARACTERS = 2000
_LAST_TURN_SHARE = 0.8
_HEAD_SHARE = 0.7
_GAP = "\n"
_MAX_DEPTH = 6
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_MEDIA_PARTS = frozenset(
    {"image_url", "image", "input_image", "input_audio", "audio", "file", "input_file", "document"}
)
_HOLDERS = frozenset({"document", "search_result", "file", "input_file"})
"""Parts that may hold a text, or parts."""
_TEXT_FILE = re.compile(r"data:(?:text/|application/(?:json|xml|yaml)\b)[^,]{0,200};base64,", re.ASCII | re.IGNORECASE)


class Conversation(msgspec.Struct, frozen=True):
    """The whole of a query as text and counts.

    `text` is everything readable (system, turns, tool results), `last_user` the last user turn. `user_turns` counts
    user messages with text or media, `media_parts` images, audio and files, `tool_messages` calls and results of tools.
    """

    text: str
    last_user: str
    rest: str
    user_turns: int
    system_characters: int
    tool_messages: int
    media_parts: int


def _parts(content: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(kind, text) of each readable part: "text", "media", "tool", or "result" inside a tool's; unknown is skipped."""
    if isinstance(content, str):
        yield "text", content
        return
    if isinstance(content, Mapping):
        kind = str(content.get("type", "text"))
        said = said_in(content) if kind in _HOLDERS else None
        if said is not None:
            if depth < _MAX_DEPTH:
                yield from _parts(said, depth + 1)
        elif kind in _TEXT_PARTS:
            yield "text", str(content.get("text") or "")
        elif kind in _MEDIA_PARTS:
            yield "media", ""
        elif kind == "tool_use":
            yield "tool", json.dumps(content.get("input", {}), ensure_ascii=False, sort_keys=True, default=str)
        elif kind == "tool_result":
            yield "tool", ""
            if depth < _MAX_DEPTH:
                for inner, text in _parts(content.get("content"), depth + 1):
                    yield ("result" if inner == "text" else inner), text
        return
    if isinstance(content, Sequence) and depth < _MAX_DEPTH:
        for part in content:
            yield from _parts(part, depth + 1)


def said_in(part: Mapping[str, Any]) -> Any:
    """What a document, a file or a search result holds as text or parts; None where it is no text, and for other parts.

    Retrieved texts come in them, to be cited: most of the input, at times.
    """
    kind = part.get("type")
    if kind == "search_result":
        return part.get("content")
    if kind in ("file", "input_file"):
        return _text_of(part.get("file", part))
    source = part.get("source") if kind == "document" else None
    if not isinstance(source, Mapping):
        return None
    return {"text": source.get("data"), "content": source.get("content")}.get(str(source.get("type")))


def _text_of(file: Any) -> str | None:
    """The text of a file that came as a data address; None where it is no text, or only named."""
    data = file.get("file_data") if isinstance(file, Mapping) else None
    if not isinstance(data, str) or (head := _TEXT_FILE.match(data)) is None:
        return None
    try:
        return binascii.a2b_base64(data[head.end() :]).decode(errors="replace")
    except ValueError:  # no base64, or not ASCII
        return None


def _calls(message: Message) -> Iterator[tuple[str, str]]:
    """The tool calls that OpenAI clients put beside the content."""
    calls = message.get("tool_calls")
    if isinstance(calls, Sequence) and not isinstance(calls, str):
        for call in calls:
            tool = call.get("function") or call.get("custom") if isinstance(call, Mapping) else None
            asked = tool.get("arguments") or tool.get("input") if isinstance(tool, Mapping) else None
            yield "tool", str(asked or "")


def _read(messages: Sequence[Message]) -> Conversation:
    texts: list[str] = []
    last_user, turns, system, tools, media = -1, 0, 0, 0, 0
    for message in messages:
        if not isinstance(message, Mapping):
            continue
        role = str(message.get("role", "user"))
        content = message.get("content")
        # Most say one thing, and call no tools.
        found = [("text", content)] if isinstance(content, str) else [*_parts(content)]
        if message.get("tool_calls"):
            found += _calls(message)
        text = _GAP.join([part for _, part in found if part])
        kinds = [kind for kind, _ in found]
        media += kinds.count("media")
        tools += kinds.count("tool") + (role in {"tool", "function"})
        if role in {"system", "developer"}:
            system += len(text)
        # One that says something itself: Anthropic's bare tool results also come with the role user.
        if role == "user" and ("text" in kinds or "media" in kinds):
            turns += 1
            last_user = len(texts)
        texts.append(text)
    if last_user < 0:
        last_user = len(texts) - 1
    return Conversation(
        text=_GAP.join([part for part in texts if part]),
        last_user=texts[last_user] if texts else "",
        rest=_GAP.join([part for i, part in enumerate(texts) if part and i != last_user]),
        user_turns=turns,
        system_characters=system,
        tool_messages=tools,
        media_parts=media,
    )


def read_conversation(query: str | Sequence[Message]) -> Conversation:
    """The conversation behind a prompt (one user turn) or a list of messages; never fails on unknown parts.

    >>> read_conversation([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]).rest
    'Be brief.'
    """
    if isinstance(query, str):
        return Conversation(query, query, "", 1, 0, 0, 0)
    return _read(query)


def _clip(text: str, limit: int) -> str:
    """Head and tail of `text`, at most `limit` characters."""
    if len(text) <= limit:
        return text
    if limit <= len(_GAP):
        return text[:limit]
    head = int((limit - len(_GAP)) * _HEAD_SHARE)
    tail = limit - len(_GAP) - head
    return text[:head] + _GAP + text[len(text) - tail :]


def text_of(conversation: Conversation, max_characters: int = MAX_CHARACTERS) -> str:
    """The text to embed: the last user turn, then head and tail of the rest, at most `max_characters` characters."""
    last, rest = conversation.last_user.strip(), conversation.rest.strip()
    if not rest:
        return _clip(last, max_characters)
    room = max(int(max_characters * _LAST_TURN_SHARE), max_characters - len(_GAP) - len(rest))
    last = _clip(last, room)
    left = max_characters - len(last) - len(_GAP)
    return last + _GAP + _clip(rest, left) if last else _clip(rest, max_characters)


def routing_text(query: str | Sequence[Message], max_characters: int = MAX_CHARACTERS) -> str:
    """The text that is embedded for a prompt or a list of messages, at most `max_characters` characters.

    A prompt gives the same text as the one user message with that content, so a router fitted on prompts serves
    conversations.

    >>> routing_text([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]) == routing_text("Hello")
    True
    """
    return text_of(read_conversation(query), max_characters)


__all__ = ["MAX_CHARACTERS", "Conversation", "read_conversation", "routing_text", "said_in", "text_of"]
