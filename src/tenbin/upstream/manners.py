"""What an upstream takes amiss, as its own refusals tell: learnt once, kept to from then on.

Servers that call themselves compatible refuse a request for a member that would change nothing (Mistral
`stream_options`, Gemini `metadata`, Groq an empty `annotations`), for want of one that only they know, or for a cap
above what the model can say at all. No list of providers stays true, so none is kept: the refusal says it, the same
request goes out once more as this upstream takes it, and so do all later ones. Nothing is left out that would change
the answer, but for how to sample, where a model cannot be told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.loose_json import decode, members_of
from tenbin.upstream.translate.body import Json
from tenbin.upstream.translate.fields import ASKS_NOTHING
from tenbin.upstream.translate.tool_ids import ToolIds

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
Manners = frozenset[str]
NO_MANNERS: Manners = frozenset()
STREAM_OPTIONS, EFFORT = "stream_options", "reasoning_effort"
CAP, OLDER_CAP = "max_completion_tokens", "max_tokens"
_OTHER_NAMES: Mapping[str, str] = {CAP: OLDER_CAP, OLDER_CAP: CAP}
COURTESIES = frozenset(
    {"metadata", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "seed", "user"}
    | {"safety_identifier", "service_tier", STREAM_OPTIONS, "temperature", "top_p"}
)
"""Members of a request without influence on what the answer says, or that reasoning models refuse under any name."""
AS_IF_UNSAID: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {**ASKS_NOTHING["openai"], "parallel_tool_calls": (True,), EFFORT: ("none", "minimal")}
)
"""Values of others with which they ask for what happens anyway."""
EMPTY, SHORT_IDS, SYSTEM = "empty members of messages", "ids of nine letters and digits", "no developer"
REASONING, SIGNATURE = "reasoning_content", "thought_signature"
_OF_MESSAGES = "annotations|refusal|audio|function_call|tool_calls|tool_call_id|name|reasoning_content|reasoning"
_TOLD_BY: Mapping[str, re.Pattern[str]] = {
    SHORT_IDS: re.compile(r"tool call id was .{0,300}length of 9", re.IGNORECASE | re.DOTALL),
    REASONING: re.compile(r"missing `?reasoning_content|reasoning_content`? in the thinking mode must", re.IGNORECASE),
    SIGNATURE: re.compile(r"missing a thought_signature", re.IGNORECASE),
    SYSTEM: re.compile(
        r"unexpected message role|(?:unknown|invalid|unexpected|unsupported|input) (?:\S+ ){0,3}?.?developer\b"
        r"|role\b.{0,40}\bdeveloper\b.{0,40}not supported",
        re.IGNORECASE,
    ),
}
AT_MOST, NOW_AT_MOST = "at most ", "this time at most "
_CAP_TOLD = re.compile(
    r"range of max_(?:completion_|output_)?tokens (?:is|should be) \[\d+, ?(\d+)\]"
    r"|at most (\d+) (?:completion|output) tokens"
    r"|max_(?:completion_)?tokens`? (?:must|should) be less than or equal to `?(\d+)"
    r"|max_tokens: \d+ > (\d+), which is the maximum allowed number of output tokens",
    re.IGNORECASE,
)
_WINDOW_TOLD = re.compile(
    r"maximum context length is (\d+) tokens(?: and your request has (\d+) input tokens"
    r"|\. However, you requested \d+ tokens \((\d+) in the messages)",
    re.IGNORECASE,
)
LEAST_LEFT = 1024
"""Where a context window leaves less for the answer, the conversation is too long for it."""
MOST_MANNERS = 32
_INSTEAD = re.compile(r"use [\"'`]\w+[\"'`] instead", re.IGNORECASE)
_UNKNOWN_IN_MESSAGES = re.compile(rf"(?:[\"'`]|messages\W.{{0,60}}\W)(?:{_OF_MESSAGES})(?=[\"'`:]|$)", re.MULTILINE)
NINE = re.compile(r"[a-zA-Z0-9]{9}")
UNSIGNED: Mapping[str, Any] = {"google": {"thought_signature": "skip_thought_signature_validator"}}
"""What Google has calls bear that Gemini did not make."""
UNTHOUGHT = " "
"""Of an answer that came without reasoning, or whose reasoning is another model's; DeepSeek takes no empty text."""


class Learnt:
    """The manners of all upstreams called so far."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Manners] = {}

    def of(self, destination: Destination) -> Manners:
        """Those of one, none where it has refused nothing."""
        return self._of.get((destination.base_url, destination.model), NO_MANNERS)

    def learn(self, destination: Destination, failure: UpstreamFailure) -> Manners:
        """All that is known of one, with what its refusal tells of this request; Anthropic's dialect is refused for a
        cap only.
        """
        known = self.of(destination)
        told = told_by(failure) if destination.dialect == "openai" else _cap_told(failure.words)
        lasting = frozenset(manner for manner in told - known if not manner.startswith(NOW_AT_MOST))
        if lasting:
            self._of[(destination.base_url, destination.model)] = known | lasting
        return known | told


def told_by(failure: UpstreamFailure) -> Manners:
    """The manners that a refusal speaks of."""
    words = failure.words
    told = {manner for manner, pattern in _TOLD_BY.items() if pattern.search(words)} | _cap_told(words)
    if failure.kind == "capability" and not told:
        refused = _INSTEAD.sub("", words)
        told |= {name for name in (*COURTESIES, *AS_IF_UNSAID, *_OTHER_NAMES) if _unknown(name).search(refused)}
        if _UNKNOWN_IN_MESSAGES.search(words):
            told.add(EMPTY)
    return frozenset(told)


def _cap_told(words: str) -> Manners:
    """The longest answer that a refusal speaks of: any of this model's, or what its window leaves of this one."""
    found, window = _CAP_TOLD.search(words), _WINDOW_TOLD.search(words)
    if window is not None:
        left = int(window[1][:18]) - int((window[2] or window[3])[:18])
        return frozenset({f"{NOW_AT_MOST}{left}"}) if left >= LEAST_LEFT else NO_MANNERS
    most = 0 if found is None else int(next(filter(None, found.groups()))[:18])
    return frozenset({f"{AT_MOST}{most}"}) if most else NO_MANNERS


def _unknown(name: str) -> re.Pattern[str]:
    """A member of the request named as servers name one: in quotes, by its place, or at the end of a sentence."""
    return re.compile(rf"(?:[\"'`]|body\.|: |, |invalid ){name}(?=[\"'`.:,]|$)", re.MULTILINE)


def minded(body: bytes, manners: Manners, *, courtesies: frozenset[str] = COURTESIES) -> bytes:
    """A request as an upstream of these manners takes it; what they do not touch stays as it was written.

    `courtesies` are the members that may be left out whatever they say.
    """
    members = members_of(body)
    for name in manners & members.keys():
        value = _value(members[name])
        if name in courtesies or value is None or value in AS_IF_UNSAID.get(name, ()):
            del members[name]
        elif (other := _OTHER_NAMES.get(name)) is not None and other not in members:
            members[other] = members.pop(name)
    most = min([int(manner.rpartition(" ")[2]) for manner in manners if AT_MOST in manner], default=math.inf)
    for name in (CAP, OLDER_CAP):
        cap = _value(members[name]) if name in members else None
        if isinstance(cap, int) and cap > most:
            members[name] = msgspec.Raw(str(most).encode())
    changes = [change for manner, change in _CHANGES.items() if manner in manners]
    messages = _value(members["messages"]) if changes and "messages" in members else None
    if isinstance(messages, list) and all(isinstance(message, dict) for message in messages):
        for change in changes:
            messages = change(messages)
        members["messages"] = msgspec.Raw(msgspec.json.encode(messages))
    return msgspec.json.encode(members)


def _value(raw: msgspec.Raw) -> Any:
    """What a member says; ... where it is only nearly JSON, and stays as it is."""
    try:
        return decode(_ANY, bytes(raw))
    except msgspec.DecodeError:
        return ...


def _without_empty(messages: Sequence[Json]) -> list[Json]:
    """Without what says nothing: null, empty lists and texts beside the content, and where a text came from."""
    return [
        {key: value for key, value in message.items() if key == "content" or (value and key != "annotations")}
        for message in messages
    ]


def _with_short_ids(messages: Sequence[Json]) -> list[Json]:
    ids = ToolIds(takes=NINE)
    return [_renamed(message, ids) for message in messages]


def _renamed(message: Json, ids: ToolIds) -> Json:
    if calls := _calls(message):
        return {**message, "tool_calls": [{**call, "id": ids.call(str(call.get("id")))} for call in calls]}
    if isinstance(message.get("tool_call_id"), str):
        return {**message, "tool_call_id": ids.result(message["tool_call_id"])}
    return message


def _calls(message: Json) -> list[Json]:
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) and all(isinstance(call, dict) for call in calls) else []


def _with_reasoning(messages: Sequence[Json]) -> list[Json]:
    return [
        {**message, REASONING: message.get(REASONING) or UNTHOUGHT} if message.get("role") == "assistant" else message
        for message in messages
    ]


def _with_signatures(messages: Sequence[Json]) -> list[Json]:
    """The first call of each turn bears a signature, as in Gemini's own turns."""
    return [_signed(message) for message in messages]


def _signed(message: Json) -> Json:
    calls = _calls(message)
    if not calls or any("extra_content" in call for call in calls):
        return message
    return {**message, "tool_calls": [{**calls[0], "extra_content": UNSIGNED}, *calls[1:]]}


def _without_developer(messages: Sequence[Json]) -> list[Json]:
    return [{**message, "role": "system"} if message.get("role") == "developer" else message for message in messages]


_CHANGES: Mapping[str, Callable[[Sequence[Json]], list[Json]]] = {
    EMPTY: _without_empty,
    SHORT_IDS: _with_short_ids,
    REASONING: _with_reasoning,
    SIGNATURE: _with_signatures,
    SYSTEM: _without_developer,
}
