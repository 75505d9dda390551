"""How one request is said to one candidate, and how its answer comes back: as it is, or through the translator."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.errors import NetworkError
from tenbin.gateway.incoming import Incoming
from tenbin.gateway.members import Members, rewritten
from tenbin.upstream.destination import Destination, Dialect
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.frame_stream import AnswerStream
from tenbin.upstream.loose_json import MEMBERS, decode
from tenbin.upstream.manners import COURTESIES, EFFORT, NO_MANNERS, STREAM_OPTIONS, Manners, minded
from tenbin.upstream.stream import AnthropicStream, OpenAIStream, ResponsesStream
from tenbin.upstream.translate import (
    ChatToMessagesStream,
    MessagesToChatStream,
    TranslatedStream,
    chat_to_messages,
    completion_to_message,
    error_body,
    message_to_completion,
    messages_to_chat,
    opens_without_thinking,
    strip_state,
    translate_error,
    translate_status,
    without_thinking_edits,
    without_unsigned,
)
from tenbin.upstream.translate.effort import claude_effort, no_thinking
from tenbin.upstream.translate.model_rules import anthropic_rules, is_claude, openai_rules
from tenbin.upstream.usage import Answered, read_responses_usage, read_usage, with_usage

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
CHAT, MESSAGES = "/chat/completions", "/messages"
CAP, OLDER_CAP = "max_completion_tokens", "max_tokens"
SAMPLES = frozenset({"temperature", "top_p"})
"""Members of chat completions."""
PATHS: Mapping[str, str] = {"chat": CHAT, "messages": MESSAGES, "responses": "/responses", "embeddings": "/embeddings"}


class Said(msgspec.Struct, frozen=True):
    """A request as it goes out."""

    path: str
    body: bytes


class Wire:
    """One request between a client and a candidate: `is_foreign` where they speak different dialects.

    `manners` are what the candidate is known to take amiss. Who named the model itself is taken at his word: nothing
    is kept from it but what the gateway would have added.
    """

    __slots__ = ("destination", "incoming", "is_foreign", "manners")

    def __init__(self, incoming: Incoming, destination: Destination, manners: Manners = NO_MANNERS) -> None:
        self.incoming = incoming
        self.destination = destination
        self.manners = manners
        self.is_foreign = incoming.endpoint in ("chat", "messages") and incoming.dialect != destination.dialect

    def say(self, *, strips_before: int) -> Said:
        """The request for the candidate, the first messages without state; RequestError where its dialect has no words
        for it.
        """
        if self.is_foreign:
            said = self._translated(strips_before)
            courtesies = COURTESIES | {EFFORT}  # left out, too, where a model is known not to take it
            return Said(said.path, minded(said.body, self.manners, courtesies=courtesies)) if self.manners else said
        incoming, destination = self.incoming, self.destination
        members = incoming.members
        if incoming.endpoint == "chat" and incoming.is_stream and STREAM_OPTIONS not in self.manners:
            members = with_usage(members)
        changes: dict[str, Any] = {"model": destination.model, **called_as(incoming, destination)}
        if strips_before and "messages" in members:
            changes["messages"] = self._stripped({"messages": incoming.decoded("messages")}, strips_before)["messages"]
        if incoming.endpoint == "messages" and is_claude(destination.model):
            changes |= self._fit_for_claude(changes.get("messages"))
        elif incoming.endpoint == "chat" and incoming.model != destination.candidate.name:
            changes |= self._fit_for_reasoning(changes)
        body = rewritten(members, changes)
        if self.manners and incoming.endpoint in ("chat", "messages") and incoming.model != destination.candidate.name:
            body = minded(body, self.manners)
        return Said(PATHS[incoming.endpoint], body)

    def _fit_for_claude(self, stripped: Any) -> dict[str, Any]:
        """What Claude refuses a request for, left out; `stripped` are the messages where state was taken out already.

        That is thinking without a signature, and (up to 4.5) going on to think in a tool loop that began without.
        """
        incoming, members = self.incoming, self.incoming.members
        if stripped is None and b'"thinking"' not in bytes(members["messages"]):
            return {}
        messages = incoming.decoded("messages") if stripped is None else stripped
        signed = without_unsigned(messages)
        if stripped is None and signed is messages:
            return {}
        fit: dict[str, Any] = {"messages": signed}
        if anthropic_rules(self.destination.model).thinking == "budget" and opens_without_thinking(signed):
            fit["thinking"] = None
            if "context_management" in members:
                fit["context_management"] = without_thinking_edits(incoming.decoded("context_management"))
        return fit

    def _fit_for_reasoning(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What OpenAI's reasoning models refuse a request for, where the client could not know that it would be one of
        them: its cap by the older name, which gets the newer one, and how to sample, which is left out.
        """
        members = self.incoming.members
        if openai_rules(self.destination.model).samples:
            return {}
        fit: dict[str, Any] = dict.fromkeys(members.keys() & SAMPLES)
        if _says(members, OLDER_CAP) and not _says(members, CAP):
            fit |= {OLDER_CAP: None, CAP: changes.get(OLDER_CAP, members[OLDER_CAP])}
        return fit

    def _stripped(self, body: dict[str, Any], strips_before: int) -> dict[str, Any]:
        """The body with state only in those messages, counted with the system's, that keep it."""
        return strip_state(body, keeps=len(self.incoming.messages) - strips_before)

    def _translated(self, strips_before: int) -> Said:
        incoming, destination = self.incoming, self.destination
        body = incoming.everything()
        if strips_before:
            body = self._stripped(body, strips_before)
        cap, effort = destination.candidate.max_output_tokens, destination.candidate.reasoning_effort
        if incoming.dialect == "openai":
            if effort is not None and body.get("reasoning_effort") is None:
                body["reasoning_effort"] = effort
            return Said(MESSAGES, msgspec.json.encode(chat_to_messages(body, destination.model, cap)))
        chat = messages_to_chat(body, destination.model, cap)
        if effort is not None and "reasoning_effort" not in chat and _effort(incoming, effort):
            chat["reasoning_effort"] = effort
        if incoming.is_stream:
            chat["stream_options"] = {"include_usage": True}
        return Said(CHAT, msgspec.json.encode(chat))

    def read(self, body: bytes) -> Answered:
        """What a whole answer says of itself; UpstreamFailure where it is none."""
        if self.incoming.endpoint == "responses":
            return read_responses_usage(body)
        return read_usage(self.destination.dialect, body)

    def answer(self, body: bytes) -> bytes:
        """A whole answer as the client reads it; UpstreamFailure where it cannot be translated."""
        if not self.is_foreign:
            return body
        try:
            decoded = decode(_ANY, body)
            if self.incoming.dialect == "openai":
                return msgspec.json.encode(message_to_completion(decoded, created=int(time.time())))
            return msgspec.json.encode(completion_to_message(decoded, thinking="thinking" in self.incoming.members))
        except (msgspec.DecodeError, NetworkError) as error:
            raise UpstreamFailure("malformed", str(error), body=body) from None

    def stream(self) -> AnswerStream:
        """What reads the candidate's stream."""
        if self.incoming.endpoint == "responses":
            return ResponsesStream()
        if self.destination.dialect == "anthropic":
            return AnthropicStream()
        return OpenAIStream(strip_usage=not (self.is_foreign or self.incoming.wants_usage))

    def translator(self) -> TranslatedStream | None:
        """What says the stream in the client's dialect, None where it is that already."""
        if not self.is_foreign:
            return None
        if self.incoming.dialect == "openai":
            return MessagesToChatStream(created=int(time.time()), include_usage=self.incoming.wants_usage)
        return ChatToMessagesStream(thinking="thinking" in self.incoming.members)

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        """A candidate's refusal as the client reads it."""
        if not self.is_foreign:
            return status, body
        source, target = self.destination.dialect, self.incoming.dialect
        return translate_status(source, target, status), translate_error(source, target, status, body)


def broken_stream(dialect: Dialect, endpoint: str, code: str, message: str) -> bytes:
    """The event that tells a client that its stream ended too early: never a normal stop."""
    body = error_body(dialect, 502, code, message)
    if dialect == "anthropic":
        return b"event: error\ndata: " + body + b"\n\n"
    if endpoint == "responses":
        event = {"type": "error", "code": code, "message": message, "param": None}
        return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"
    return b"data: " + body + b"\n\n"


def called_as(incoming: Incoming, destination: Destination) -> dict[str, Any]:
    """The members by which a candidate is called in its own way: its effort where none was asked, its output cap."""
    candidate = destination.candidate
    changes: dict[str, Any] = {}
    if candidate.reasoning_effort is not None:
        effort, model = candidate.reasoning_effort, destination.model
        is_own = incoming.endpoint == "messages" and is_claude(model)
        changes |= _effort_of_claude(incoming, effort, model) if is_own else _effort(incoming, effort)
    cap = candidate.max_output_tokens
    if cap is not None and (incoming.max_output_tokens or cap + 1) > cap and incoming.endpoint != "embeddings":
        changes |= dict.fromkeys(_cap_names(incoming, destination), cap)
    return changes


def _effort_of_claude(incoming: Incoming, effort: str, model: str) -> dict[str, Any]:
    """The same as `_effort`, as this model takes it; it is no word to think, which only `thinking` is."""
    rules = anthropic_rules(model)
    off, level = no_thinking(effort, rules), claude_effort(effort, rules)
    asked = _effort(incoming, level or effort)
    return {"thinking": off} if asked and off else asked if level else {}


def _effort(incoming: Incoming, effort: str) -> dict[str, Any]:
    """The member that asks for a candidate's own effort; none where the request says how hard to think."""
    if incoming.endpoint == "chat" and not _says(incoming.members, "reasoning_effort"):
        return {"reasoning_effort": effort}
    if incoming.endpoint == "responses":
        return _with_effort(incoming.members, "reasoning", effort)
    if incoming.endpoint == "messages" and not _says(incoming.members, "thinking"):
        return _with_effort(incoming.members, "output_config", effort)
    return {}


def _with_effort(members: Members, name: str, effort: str) -> dict[str, Any]:
    """A member that may hold an effort, with this one where it holds none; all else in it as it was written."""
    try:
        held = MEMBERS.decode(members[name]) if _says(members, name) else {}
    except msgspec.DecodeError:  # nearly JSON: it goes on as it is
        return {}
    return {} if _says(held, "effort") else {name: {**held, "effort": effort}}


def _says(members: Members, name: str) -> bool:
    """Whether a member is there and not null."""
    return name in members and bytes(members[name]).strip() != b"null"


def _cap_names(incoming: Incoming, destination: Destination) -> list[str]:
    """The members that cap the answer: those the client used, or the one that this model takes."""
    if incoming.endpoint == "responses":
        return ["max_output_tokens"]
    if incoming.endpoint == "messages":
        return ["max_tokens"]
    used: list[str] = [name for name in (CAP, OLDER_CAP) if _says(incoming.members, name)]
    return used or [str(openai_rules(destination.model).max_tokens_field)]
