"""A client's request, read only as far as deciding needs it: every other member passes through byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from tenbin.errors import RequestError
from tenbin.gateway import pictures
from tenbin.gateway.items import message_of
from tenbin.gateway.kept_there import check_item, check_members
from tenbin.upstream.destination import Dialect
from tenbin.upstream.loose_json import without_halves
from tenbin.upstream.usage import MEMBERS

Endpoint = Literal["chat", "messages", "responses", "embeddings"]
Members = dict[str, msgspec.Raw]

OWN_MEMBER = "tenbin"
MAX_MESSAGES = 100_000
MAX_MEMBERS = 1_000
MAX_WALKED_BYTES = 4 << 20
"""A longer body must be JSON in every respect: reading what is nearly JSON takes ten times as long."""
MAX_VALUES = 300_000
"""What one decoded member may hold: walking over more would keep every other request waiting for seconds."""
MAX_OUTPUT_TOKENS = 1 << 40
"""Beyond it a cap is none; the figures made from it stay finite."""
BYTES_PER_TOKEN = 3.0
"""Of tools, schemas, bodies and answers that nobody counted: cautious, for English text has about 4."""
MAX_ANSWERS = 128
"""More at once nobody gives."""
MAX_USER = 256
BESIDE = ("tools", "functions", "response_format", "output_format", "text")
"""What is sent beside the messages and counts as input."""
NO_REASONING = frozenset({"none", "minimal"})
"""Efforts that a model without reasoning honours by doing nothing."""
_NO_SIGNS = bytes(byte for byte in range(256) if byte not in b',[{"')
"""All but the signs by which values are counted."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(slots=True)
class Incoming:
    """One request as it came.

    `members` are the top-level members of the body as they were written; `messages` the decoded conversation (system
    texts first, whatever the dialect); `requirements` the capabilities it needs; `asked` the decoded member `tenbin`.
    `hidden_bytes` is the size of what is sent beside the messages (tools, schemas), `max_output_tokens` the caller's
    cap on the answer, `answers` how many of them are wanted at once (`n`), `seen` the pictures, `wants_usage` whether
    a streaming client asked for its usage.
    """

    endpoint: Endpoint
    dialect: Dialect
    members: Members
    model: str
    body_bytes: int
    messages: list[dict[str, Any]]
    is_stream: bool = False
    wants_usage: bool = False
    requirements: frozenset[str] = frozenset()
    max_output_tokens: int | None = None
    user: str | None = None
    asked: Any = None
    hidden_bytes: int = 0
    answers: int = 1
    seen: pictures.Pictures = pictures.NONE
    previous_response_id: str | None = None

    @property
    def sent_tokens(self) -> float:
        """About how long all of it is, where nobody counts it."""
        return (self.body_bytes - self.seen.size) / BYTES_PER_TOKEN + self.seen.tokens

    def decoded(self, name: str) -> Any:
        """One member of the body, decoded."""
        return _decoded(self.members, name)

    def everything(self) -> dict[str, Any]:
        """The whole body decoded, without the gateway's own member: for the translator."""
        return {name: _decoded(self.members, name) for name in self.members if name != OWN_MEMBER}


def read_members(body: bytes) -> Members:
    """The top-level members of a JSON object; RequestError 400 where the body is none."""
    try:
        if not body.isascii():
            body.decode()
        members = MEMBERS.decode(body)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise _no_object(error) from None
    except msgspec.DecodeError as error:
        if len(body) > MAX_WALKED_BYTES:
            raise _no_object(error) from None
        members = _walked(body)
    if len(members) > MAX_MEMBERS:
        raise RequestError(400, "too_many_members", f"the body has more than {MAX_MEMBERS:,} members", fix="send fewer")
    return members


def _walked(body: bytes) -> Members:
    """The members of what msgspec refuses and providers take: halves of surrogate pairs, and huge numbers."""
    try:
        text = body.decode()
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        if not isinstance(decoder.decode(text), dict):
            raise ValueError("it is another kind of JSON")
        members: Members = {}
        at = text.index("{") + 1
        while text[at := _after_space(text, at)] != "}":
            name, at = decoder.raw_decode(text, at)
            start = _after_space(text, _after_space(text, at) + 1)
            _, end = decoder.raw_decode(text, start)
            members[name.encode().decode()] = msgspec.Raw(text[start:end].encode())
            at = _after_space(text, end)
            at += text[at] == ","
        return members
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _no_object(error) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _after_space(text: str, at: int) -> int:
    while text[at] in " \t\n\r":
        at += 1
    return at


def _no_object(error: Exception) -> RequestError:
    return RequestError(400, "invalid_json", f"the body is no JSON object ({error})", fix="send one")


def _too_deep() -> RequestError:
    return RequestError(400, "invalid_json", "the body is nested too deeply", fix="flatten it")


def read_chat(body: bytes) -> Incoming:
    """A request to `/v1/chat/completions`."""
    members = read_members(body)
    messages = _messages(members)
    options = _value(members, "stream_options", dict, "an object") or {}
    found = Incoming(
        endpoint="chat",
        dialect="openai",
        members=members,
        model=_model(members),
        body_bytes=len(body),
        messages=messages,
        is_stream=bool(_value(members, "stream", bool, "true or false")),
        wants_usage=options.get("include_usage") is True,
        max_output_tokens=_cap(members, "max_completion_tokens") or _cap(members, "max_tokens"),
        answers=_answers(members),
        user=_user(_value(members, "user", str, "a text")),
    )
    form = _value(members, "response_format", dict, "an object") or {}
    effort = _value(members, "reasoning_effort", str, "a text")
    return _completed(
        found,
        tools=("tools", "functions"),
        has_schema=form.get("type") == "json_schema",
        reasons=effort is not None and effort not in NO_REASONING,
    )


def read_anthropic(body: bytes) -> Incoming:
    """A request to `/v1/messages` (or to count its tokens)."""
    members = read_members(body)
    messages = _messages(members)
    if "system" in members:
        system = _decoded(members, "system")
        _check_content(system, "system")
        messages = [{"role": "system", "content": system}, *messages]
    found = Incoming(
        endpoint="messages",
        dialect="anthropic",
        members=members,
        model=_model(members),
        body_bytes=len(body),
        messages=messages,
        is_stream=bool(_value(members, "stream", bool, "true or false")),
        wants_usage=True,
        max_output_tokens=_cap(members, "max_tokens"),
        user=_user((_value(members, "metadata", dict, "an object") or {}).get("user_id")),
    )
    thinking = _value(members, "thinking", dict, "an object") or {}
    config = _value(members, "output_config", dict, "an object") or {}
    return _completed(
        found,
        tools=("tools",),
        has_schema="output_format" in members or "format" in config,
        reasons=thinking.get("type") in ("enabled", "adaptive"),
    )


def read_responses(body: bytes) -> Incoming:
    """A request to `/v1/responses`."""
    members = read_members(body)
    check_members(members)
    text = _value(members, "text", dict, "an object") or {}
    reasoning = _value(members, "reasoning", dict, "an object") or {}
    found = Incoming(
        endpoint="responses",
        dialect="openai",
        members=members,
        model=_model(members),
        body_bytes=len(body),
        messages=_items(members),
        is_stream=bool(_value(members, "stream", bool, "true or false")),
        wants_usage=True,
        max_output_tokens=_cap(members, "max_output_tokens"),
        user=_user(_value(members, "user", str, "a text")),
        previous_response_id=_value(members, "previous_response_id", str, "a text"),
    )
    effort = reasoning.get("effort")
    return _completed(
        found,
        tools=("tools",),
        has_schema=isinstance(text.get("format"), Mapping) and text["format"].get("type") == "json_schema",
        reasons=isinstance(effort, str) and effort not in NO_REASONING,
    )


def read_embeddings(body: bytes) -> Incoming:
    """A request to `/v1/embeddings`: passed through, never routed."""
    members = read_members(body)
    if "input" not in members:
        raise RequestError(400, "missing_input", "input is missing", param="input", fix="give a text or a list")
    asked = _value(members, OWN_MEMBER, object, "anything")
    return Incoming("embeddings", "openai", members, _model(members), len(body), [], asked=asked)


def rewritten(members: Members, changes: Mapping[str, Any]) -> bytes:
    """The body with some members replaced or added (None: taken out); all others as they were written."""
    result = {name: value for name, value in members.items() if name != OWN_MEMBER}
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(result)


def _completed(found: Incoming, *, tools: Sequence[str], has_schema: bool, reasons: bool) -> Incoming:
    """The request with what it requires and what the gateway itself was asked."""
    members = found.members
    needs = []
    if has_schema:
        needs.append("json_schema")
    if reasons:
        needs.append("reasoning")
    found.seen = pictures.pictures_in(found.messages)
    if found.seen.number:
        needs.append("vision")
    if any(_value(members, name, list, "a list") for name in tools):
        needs.append("tools")
    found.requirements = frozenset(needs)
    for name in BESIDE:
        if name in members:
            found.hidden_bytes += len(bytes(members[name]))
    found.asked = _value(members, OWN_MEMBER, object, "anything")
    return found


def _user(name: Any) -> str | None:
    """Who asks, as the client calls them: for the ledger, where a text of any length has no place."""
    return name[:MAX_USER] if isinstance(name, str) else None


def _model(members: Members) -> str:
    model = _value(members, "model", str, "a text")
    if not model:
        raise RequestError(
            400, "missing_model", "model is missing", param="model", fix='name a candidate, or "tenbin/auto"'
        )
    return str(model)


def _messages(members: Members) -> list[dict[str, Any]]:
    messages = _value(members, "messages", list, "a list")
    if not messages:
        raise RequestError(
            400, "empty_messages", "messages is missing or empty", param="messages", fix="send at least one"
        )
    if len(messages) > MAX_MESSAGES:
        raise RequestError(400, "too_many_messages", f"more than {MAX_MESSAGES:,} messages", param="messages")
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            fix = 'write it as {"role": "user", "content": "..."}'
            raise RequestError(400, "invalid_message", f"messages[{i}] is no message", param=f"messages[{i}]", fix=fix)
        _check_content(message.get("content"), f"messages[{i}].content")
    found: list[dict[str, Any]] = messages
    return found


def _check_content(content: Any, param: str) -> None:
    """Refuse what no provider takes as the content of a message."""
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise RequestError(400, "invalid_type", f"{param} is neither a text nor a list", param=param, fix="send a text")
    for i, part in enumerate(content):
        if not isinstance(part, dict):
            where, fix = f"{param}[{i}]", 'write it as {"type": "text", "text": "..."}'
            raise RequestError(400, "invalid_type", f"{where} is no object", param=where, fix=fix)
        if not isinstance(part.get("type", ""), str):
            where = f"{param}[{i}].type"
            raise RequestError(400, "invalid_type", f"{where} is no text", param=where, fix='name one, such as "text"')


def _items(members: Members) -> list[dict[str, Any]]:
    """The input of a Responses request as messages: texts are the user's, what has no role is a tool's."""
    given = _decoded(members, "input") if "input" in members else None
    head = _value(members, "instructions", str, "a text")
    messages: list[dict[str, Any]] = [{"role": "system", "content": head}] if head else []
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if given is not None and not isinstance(given, list):
        raise RequestError(400, "invalid_type", "input is neither a text nor a list", param="input")
    for i, item in enumerate(given or ()):
        check_item(item, f"input[{i}]")
        messages.append(message_of(item))
    return messages


def _decoded(members: Members, name: str) -> Any:
    raw = members[name]
    if len(bytes(raw)) > MAX_VALUES and _values(bytes(raw)) > MAX_VALUES:
        what = f"{name} holds more than {MAX_VALUES:,} values"
        raise RequestError(400, "too_many_values", what, param=name, fix="send fewer, larger pieces")
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise RequestError(400, "invalid_json", f"{name} is nested too deeply", param=name) from None
    except msgspec.DecodeError:
        return _leniently(members, name)


def _values(raw: bytes) -> int:
    """About how many values JSON holds; without what stands in texts where it is many."""
    signs = raw.translate(None, _NO_SIGNS)
    quotes = signs.count(b'"')
    found = len(signs) - quotes
    if quotes > 4 * MAX_VALUES:
        quotes -= raw.count(b'\\"')
        if quotes // 2 > 2 * MAX_VALUES:  # at best every other text is a value, the rest are names
            return quotes // 2
    if found > MAX_VALUES:
        found = len(_TEXT.sub(b"", raw).translate(None, _NO_SIGNS))
    return found


def _leniently(members: Members, name: str) -> Any:
    """What msgspec refuses and providers take, huge numbers and halves of surrogate pairs; these as U+FFFD.

    No half goes further than this: neither the ledger nor an answer could be written with it.
    """
    try:
        return json.loads(without_halves(bytes(members[name])))
    except (ValueError, RecursionError):
        what = f"{name} holds a number of thousands of digits, or is nested too deeply"
        raise RequestError(400, "invalid_json", what, param=name, fix="send less") from None


def _value(members: Members, name: str, kind: type, described: str) -> Any:
    """The decoded member, None where it is missing or null; RequestError 400 where it is of another kind."""
    if name not in members:
        return None
    value = _decoded(members, name)
    if value is not None and not isinstance(value, kind):
        raise RequestError(400, "invalid_type", f"{name} is not {described}", param=name)
    return value


def _cap(members: Members, name: str) -> int | None:
    cap = _value(members, name, int, "a whole number")
    if cap is None:
        return None
    if isinstance(cap, bool) or cap < 1:
        raise RequestError(400, "invalid_value", f"{name} is not a whole number above 0", param=name)
    return min(int(cap), MAX_OUTPUT_TOKENS)


def _answers(members: Members) -> int:
    """How many answers are wanted; what is no such number is the upstream's to refuse."""
    wanted = _decoded(members, "n") if "n" in members else 1
    is_number = isinstance(wanted, int) and not isinstance(wanted, bool)
    return min(max(wanted, 1), MAX_ANSWERS) if is_number else 1
