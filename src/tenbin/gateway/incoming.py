"""A client's request, read only as far as deciding needs it: every other member passes through byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tenbin.errors import RequestError
from tenbin.features.attached import NOTHING, Attached, attached_to
from tenbin.gateway.items import message_of
from tenbin.gateway.kept_there import check_item, check_members
from tenbin.gateway.members import OWN_MEMBER, Kind, Members, decoded, read_members, values_of
from tenbin.upstream.destination import Dialect

Endpoint = Literal["chat", "messages", "responses", "embeddings"]
MAX_MESSAGES = 100_000
MAX_OUTPUT_TOKENS = 1 << 40
"""Beyond it a cap is none; the figures made from it stay finite."""
BYTES_PER_TOKEN = 3.0
"""Of tools, schemas, bodies and answers that nobody counted: cautious, for English text has about 4."""
MAX_ANSWERS = 128
"""More at once nobody gives."""
MAX_USER = 256
TEXT, NUMBER, LIST, OBJECT = (str, "a text"), (int, "a whole number"), (list, "a list"), (dict, "an object")
FLAG, ANYTHING = (bool, "true or false"), (object, "anything")
OF_ALL: Mapping[str, Kind] = {"model": TEXT, "stream": FLAG, "tools": LIST, OWN_MEMBER: ANYTHING}
OF_CHAT: Mapping[str, Kind] = {
    **OF_ALL,
    **dict.fromkeys(("messages", "functions"), LIST),
    **dict.fromkeys(("user", "reasoning_effort"), TEXT),
    **dict.fromkeys(("max_completion_tokens", "max_tokens"), NUMBER),
    **dict.fromkeys(("stream_options", "response_format"), OBJECT),
    "n": ANYTHING,
}
OF_MESSAGES: Mapping[str, Kind] = {
    **OF_ALL,
    **dict.fromkeys(("metadata", "thinking", "output_config", "thread"), OBJECT),
    "messages": LIST,
    "system": ANYTHING,
    "max_tokens": NUMBER,
}
OF_RESPONSES: Mapping[str, Kind] = {
    **OF_ALL,
    **dict.fromkeys(("text", "reasoning"), OBJECT),
    **dict.fromkeys(("user", "previous_response_id", "instructions"), TEXT),
    "input": ANYTHING,
    "max_output_tokens": NUMBER,
}
OF_EMBEDDINGS: Mapping[str, Kind] = {"model": TEXT, OWN_MEMBER: ANYTHING}
"""What is read of each request; of any other member only the bytes are known."""
NONE: Mapping[str, Any] = {}
BESIDE = frozenset({"tools", "functions", "response_format", "output_format", "text"})
"""What is sent beside the messages and counts as input."""
NO_REASONING = frozenset({"none", "minimal"})
"""Efforts that a model without reasoning honours by doing nothing."""


class Incoming(msgspec.Struct, eq=False):
    """One request as it came. A struct: a dataclass takes four times as long to fill.

    `members` are the top-level members of the body as they were written; `messages` the decoded conversation (system
    texts first, whatever the dialect); `requirements` the capabilities it needs; `asked` the decoded member `tenbin`.
    `hidden_bytes` is the size of what is sent beside the messages (tools, schemas), `max_output_tokens` the caller's
    cap on the answer, `answers` how many of them are wanted at once (`n`), `attached` what is no text of the messages,
    `wants_usage` whether a streaming client asked for its usage.
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
    attached: Attached = NOTHING
    previous_response_id: str | None = None

    @property
    def hidden_tokens(self) -> float:
        """About how long what is sent beside the messages is."""
        return self.hidden_bytes / BYTES_PER_TOKEN

    def sent_tokens(self, model: str) -> float:
        """About how long all of it is to a model, by its name at the provider, where nobody counts it."""
        if self.attached is NOTHING:
            return self.body_bytes / BYTES_PER_TOKEN
        return (self.body_bytes - self.attached.size) / BYTES_PER_TOKEN + self.attached.tokens(model)

    def decoded(self, name: str) -> Any:
        """One member of the body, decoded."""
        return decoded(self.members, name)

    def everything(self) -> dict[str, Any]:
        """The whole body decoded, without the gateway's own member: for the translator."""
        return {name: decoded(self.members, name) for name in self.members if name != OWN_MEMBER}


def read_chat(body: bytes) -> Incoming:
    """A request to `/v1/chat/completions`."""
    members = read_members(body)
    values = values_of(members, OF_CHAT)
    said = values.get
    messages = _messages(values)
    found = Incoming(
        endpoint="chat",
        dialect="openai",
        members=members,
        model=_model(values),
        body_bytes=len(body),
        messages=messages,
        is_stream=said("stream", False),
        wants_usage=said("stream_options", NONE).get("include_usage") is True,
        max_output_tokens=_cap(values, "max_completion_tokens") or _cap(values, "max_tokens"),
        answers=_answers(values),
        user=_user(said("user")),
    )
    effort = said("reasoning_effort")
    return _completed(
        found,
        values,
        has_schema=said("response_format", NONE).get("type") == "json_schema",
        reasons=effort is not None and effort not in NO_REASONING,
    )


def read_anthropic(body: bytes) -> Incoming:
    """A request to `/v1/messages` (or to count its tokens)."""
    members = read_members(body)
    values = values_of(members, OF_MESSAGES)
    said = values.get
    goes_on_with = _goes_on_with(said("thread", NONE))
    # A turn that paused goes on without a word: all of it is held there.
    messages = [] if goes_on_with is not None and said("messages") == [] else _messages(values)
    if "system" in members:
        system = said("system")
        _check_content(system, "system")
        messages = [{"role": "system", "content": system}, *messages]
    found = Incoming(
        endpoint="messages",
        dialect="anthropic",
        members=members,
        model=_model(values),
        body_bytes=len(body),
        messages=messages,
        is_stream=said("stream", False),
        wants_usage=True,
        max_output_tokens=_cap(values, "max_tokens", least=0),  # 0 only fills the prompt cache
        user=_user(said("metadata", NONE).get("user_id")),
        previous_response_id=goes_on_with,
    )
    return _completed(
        found,
        values,
        has_schema="output_format" in members or "format" in said("output_config", NONE),
        reasons=said("thinking", NONE).get("type") in ("enabled", "adaptive"),
    )


def read_responses(body: bytes) -> Incoming:
    """A request to `/v1/responses`."""
    members = read_members(body)
    check_members(members)
    values = values_of(members, OF_RESPONSES)
    said = values.get
    form, effort = said("text", NONE).get("format"), said("reasoning", NONE).get("effort")
    found = Incoming(
        endpoint="responses",
        dialect="openai",
        members=members,
        model=_model(values),
        body_bytes=len(body),
        messages=_items(values),
        is_stream=said("stream", False),
        wants_usage=True,
        max_output_tokens=_cap(values, "max_output_tokens"),
        user=_user(said("user")),
        previous_response_id=said("previous_response_id"),
    )
    return _completed(
        found,
        values,
        has_schema=isinstance(form, Mapping) and form.get("type") == "json_schema",
        reasons=isinstance(effort, str) and effort not in NO_REASONING,
    )


def read_embeddings(body: bytes) -> Incoming:
    """A request to `/v1/embeddings`: passed through, never routed."""
    members = read_members(body)
    if "input" not in members:
        raise RequestError(400, "missing_input", "input is missing", param="input", fix="give a text or a list")
    values = values_of(members, OF_EMBEDDINGS)
    asked = values.get(OWN_MEMBER)
    return Incoming("embeddings", "openai", members, _model(values), len(body), [], asked=asked)


def _completed(found: Incoming, values: Mapping[str, Any], *, has_schema: bool, reasons: bool) -> Incoming:
    """The request with what it requires and what the gateway itself was asked."""
    members = found.members
    needs = []
    if has_schema:
        needs.append("json_schema")
    if reasons:
        needs.append("reasoning")
    found.attached = attached_to(found.messages)
    if found.attached.pictures:
        needs.append("vision")
    if values.get("tools") or values.get("functions"):
        needs.append("tools")
    if needs:
        found.requirements = frozenset(needs)
    for name in members.keys() & BESIDE:
        found.hidden_bytes += len(members[name])
    found.asked = values.get(OWN_MEMBER)
    return found


def _goes_on_with(thread: Mapping[str, Any]) -> str | None:
    """The message whose thread, which Anthropic holds, a request goes on with; None for one that sends all itself."""
    return str(thread.get("previous_message_id")) if thread.get("type") == "continue" else None


def _user(name: Any) -> str | None:
    """Who asks, as the client calls them: for the ledger, where a text of any length has no place."""
    return name[:MAX_USER] if isinstance(name, str) else None


def _model(values: Mapping[str, Any]) -> str:
    model = values.get("model")
    if not model:
        raise RequestError(
            400, "missing_model", "model is missing", param="model", fix='name a candidate, or "tenbin/auto"'
        )
    return str(model)


def _messages(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = values.get("messages")
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
        content = message.get("content")
        if not isinstance(content, str):
            _check_content(content, f"messages[{i}].content")
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


def _items(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The input of a Responses request as messages: texts are the user's, what has no role is a tool's."""
    given, head = values.get("input"), values.get("instructions")
    messages: list[dict[str, Any]] = [{"role": "system", "content": head}] if head else []
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if given is not None and not isinstance(given, list):
        raise RequestError(400, "invalid_type", "input is neither a text nor a list", param="input")
    for i, item in enumerate(given or ()):
        check_item(item, f"input[{i}]")
        if "role" in item:
            _check_content(item.get("content"), f"input[{i}].content")
        messages.append(message_of(item))
    return messages


def _cap(values: Mapping[str, Any], name: str, *, least: int = 1) -> int | None:
    """The longest answer that is wanted, at least one token: none at all counts as that."""
    cap = values.get(name)
    if cap is None:
        return None
    if isinstance(cap, bool) or cap < least:
        raise RequestError(400, "invalid_value", f"{name} is not a whole number from {least}", param=name)
    return min(max(int(cap), 1), MAX_OUTPUT_TOKENS)


def _answers(values: Mapping[str, Any]) -> int:
    """How many answers are wanted; what is no such number is the upstream's to refuse.

    Servers that read leniently (vLLM) give two for 2.0 and for "2".
    """
    wanted = values.get("n")
    if wanted is None or isinstance(wanted, bool):
        return 1
    try:
        return int(min(max(float(wanted), 1.0), MAX_ANSWERS))
    except (TypeError, ValueError):
        return 1
    except OverflowError:  # an integer beyond what is a float
        return MAX_ANSWERS if wanted > 0 else 1
