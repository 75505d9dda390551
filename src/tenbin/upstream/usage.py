"""What a call is billed for, read from an answer; and how a stream is asked to say it.

Providers count differently: Anthropic reports cached input beside `input_tokens`, OpenAI inside `prompt_tokens`; xAI
and Google leave hidden reasoning out of `completion_tokens` and show it only in the total. `Usage` is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.types import Usage
from tenbin.upstream.absent import ABSENT
from tenbin.upstream.destination import Dialect
from tenbin.upstream.failure import UpstreamFailure, broken_off, failure_inside
from tenbin.upstream.loose_json import MEMBERS, decode

_TIERS = ("priority", "flex")
_OF_READING = frozenset({"audio_tokens", "cached_tokens", "image_tokens", "text_tokens"})
_FAST = "fast"
"""Anthropic's word for answers that come faster and cost more."""
_OF_AN_HOUR = "ephemeral_1h_input_tokens"
_Count = int | float | None
_MAX_TOKENS = 1 << 40
_UNKNOWN_WINDOW_TOKENS = 1 << 20
_MOST_WINDOWS = 4
"""Tools that run at the provider fill the context window more than once; counts beyond so many are no counts."""


class Answered(msgspec.Struct, frozen=True):
    """What a whole answer says about itself; None for what it does not say.

    `is_refusal`: a content filter or the model itself declined, in an answer of status 200. `failure`: its server broke
    it off, and may bill it all the same.
    """

    usage: Usage | None = None
    response_id: str | None = None
    finish_reason: str | None = None
    is_refusal: bool = False
    failure: UpstreamFailure | None = None


class _Counts(msgspec.Struct):
    """The usage member of every dialect at once: the names do not collide.

    What only refines a bill may be of any type; without the counts themselves there is none.
    """

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: Any = None
    input_tokens: _Count = None
    output_tokens: _Count = None
    cache_read_input_tokens: _Count = None
    cache_creation_input_tokens: _Count = None
    cache_creation: Any = None
    speed: Any = None
    prompt_cache_hit_tokens: Any = None  # DeepSeek
    cached_tokens: Any = None  # Moonshot
    prompt_tokens_details: Any = None
    completion_tokens_details: Any = None
    input_tokens_details: Any = None
    output_tokens_details: Any = None


_COUNTS: msgspec.json.Decoder[_Counts | None] = msgspec.json.Decoder(_Counts | None)


class _Message(msgspec.Struct):
    refusal: Any = None


class _Choice(msgspec.Struct):
    finish_reason: Any = None
    message: _Message | None = None
    error: msgspec.Raw = ABSENT


class _Whole(msgspec.Struct):
    """The members that are read of a whole answer, of every dialect at once.

    What only tells about an answer may be of any type: no answer is lost for a number where a text belongs.
    """

    id: Any = None
    choices: list[_Choice] | None = None
    stop_reason: Any = None
    status: Any = None
    service_tier: Any = None
    content: msgspec.Raw = ABSENT
    data: msgspec.Raw = ABSENT
    output: msgspec.Raw = ABSENT
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


_WHOLE = msgspec.json.Decoder(_Whole)


def read_usage(dialect: Dialect, body: bytes) -> Answered:
    """What a whole answer of status 200 (chat, messages, embeddings) says about itself.

    Raises UpstreamFailure: malformed where it is no JSON object of that shape, or holds no answer; as the error in it
    says where it holds one in place of an answer.
    """
    whole = _whole(body)
    if dialect == "anthropic":
        _check_answer(whole, body, dialect, whole.stop_reason, whole.content)
        reason = _text(whole.stop_reason)
        return Answered(anthropic_usage(whole.usage), _text(whole.id), reason, reason == "refusal")
    _check_answer(whole, body, dialect, whole.choices, whole.data)
    first = whole.choices[0] if whole.choices else _Choice()
    declined = first.finish_reason == "content_filter" or bool(first.message and first.message.refusal)
    usage = openai_usage(whole.usage, whole.service_tier)
    broken = broken_off(first.finish_reason, bytes(first.error))
    failure = None if broken is None else failure_inside(broken, dialect)
    return Answered(usage, _text(whole.id), _text(first.finish_reason), declined, failure)


def read_responses_usage(body: bytes) -> Answered:
    """The same for a whole answer of /v1/responses; its `status` is the finish reason, and one that failed is none."""
    whole = _whole(body)
    if whole.status == "failed":
        raise failure_inside(body, "openai")
    _check_answer(whole, body, "openai", whole.status, whole.output)
    return Answered(openai_usage(whole.usage, whole.service_tier), _text(whole.id), _text(whole.status))


def openai_usage(raw: msgspec.Raw | bytes, served_as: Any = None) -> Usage | None:
    """The usage member of chat completions, embeddings or responses; None where it is null or no such thing.

    `served_as` is the `service_tier` beside it.
    """
    counts = _counts(raw)
    if counts is None or (counts.prompt_tokens is None and counts.input_tokens is None):
        return None
    out = _details(counts.completion_tokens_details, counts.output_tokens_details)
    prompt = _count(counts.prompt_tokens if counts.prompt_tokens is not None else counts.input_tokens)
    completion = _count(counts.completion_tokens if counts.completion_tokens is not None else counts.output_tokens)
    reasoning = _count(out.get("reasoning_tokens")) if out else 0
    surplus = _count(counts.total_tokens) - prompt - completion
    if surplus > 0 and surplus == (reasoning or surplus):
        completion, reasoning = completion + surplus, surplus
    elif reasoning > completion:
        completion += reasoning
    cached, written, of_an_hour, heard = _parts_of_input(counts, prompt)
    spoken = min(_count(out.get("audio_tokens")), completion - reasoning) if out else 0
    tier = served_as if served_as in _TIERS else None
    return Usage(prompt, completion, cached, written, reasoning, of_an_hour, heard, spoken, tier)


def _parts_of_input(counts: _Counts, prompt: int) -> tuple[int, int, int, int]:
    """What of the prompt was read from a cache, written to one (so much of it for an hour), and heard."""
    into = _details(counts.prompt_tokens_details, counts.input_tokens_details)
    read = (counts.prompt_cache_hit_tokens, counts.cached_tokens, counts.cache_read_input_tokens)
    cached = min(_first(into.get("cached_tokens"), *read), prompt)
    if counts.cache_creation_input_tokens is None and _OF_READING.issuperset(into):  # OpenAI's own, and most others'
        return cached, 0, 0, min(_count(into.get("audio_tokens")), prompt - cached) if into else 0
    # Alibaba and LiteLLM count the writes of an explicit cache under Anthropic's names, but inside the prompt.
    wrote = (into.get("cache_write_tokens"), into.get("cache_creation_input_tokens"), into.get("cache_creation_tokens"))
    written = min(_first(*wrote, counts.cache_creation_input_tokens), prompt - cached)
    lives = _details(into.get("cache_creation"), into.get("cache_creation_token_details"), counts.cache_creation)
    of_an_hour = min(_count(lives.get(_OF_AN_HOUR)), written)
    heard = min(_count(into.get("audio_tokens")), prompt - cached - written)
    return cached, written, of_an_hour, heard


def anthropic_usage(raw: msgspec.Raw | bytes, before: Usage | None = None) -> Usage | None:
    """The usage member of a message; in a stream `before` is what was known: counts are cumulative, the last holds."""
    counts = _counts(raw)
    if counts is None or (counts.input_tokens is None and counts.output_tokens is None):
        return before
    known = before or Usage(0, 0)
    if known.input_tokens and not (counts.input_tokens or counts.cache_read_input_tokens):  # it has read something
        counts.input_tokens = counts.cache_read_input_tokens = counts.cache_creation_input_tokens = None
    cached = _latest(counts.cache_read_input_tokens, known.cached_tokens)
    written = _latest(counts.cache_creation_input_tokens, known.cache_write_tokens)
    hour = _details(counts.cache_creation).get(_OF_AN_HOUR)
    fresh = _latest(counts.input_tokens, known.input_tokens - known.cached_tokens - known.cache_write_tokens)
    output = _latest(counts.output_tokens, known.output_tokens)
    thinking = _details(counts.output_tokens_details).get("thinking_tokens")
    reasoning = min(_latest(thinking, known.reasoning_tokens), output)
    of_an_hour = min(_latest(hour, known.cache_write_1h_tokens), written)
    tier = "priority" if counts.speed == _FAST else known.tier
    return Usage(fresh + cached + written, output, cached, written, reasoning, of_an_hour, tier=tier)


def told_usage(usage: Usage | None, words: str) -> Usage | None:
    """The usage of an answer of these words; None where it counts none of them: some servers fill it with zeros."""
    is_void = usage is not None and bool(words) and not (usage.input_tokens and usage.output_tokens)
    return None if is_void else usage


def possible_usage(usage: Usage | None, window_tokens: int | None, sent_bytes: int, answers: int = 1) -> Usage | None:
    """The usage; None where no request of so many bytes, to a candidate of this context window, can have so many.

    An upstream that miscounts would spend a whole budget in one answer.
    """
    most = _MOST_WINDOWS * max(window_tokens or _UNKNOWN_WINDOW_TOKENS, sent_bytes)
    if usage is None or usage.input_tokens > most or usage.output_tokens > most * answers:
        return None
    return usage


def asks_usage(members: Mapping[str, msgspec.Raw]) -> bool:
    """Whether a chat request asks for the usage of its stream itself (`stream_options.include_usage`)."""
    options = _options(members)
    return options is not None and bytes(options.get("include_usage", b"")).strip() == b"true"


def with_usage(members: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """A streamed chat request that asks for its usage; every other member, and every other option, byte for byte.

    Options that are no object are left for the upstream to refuse.
    """
    asking = dict(members)
    options = _options(members)
    if options is not None:
        asking["stream_options"] = msgspec.Raw(msgspec.json.encode({**options, "include_usage": msgspec.Raw(b"true")}))
    return asking


def _options(members: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw] | None:
    raw = members.get("stream_options")
    if raw is None or bytes(raw).strip() == b"null":
        return {}
    try:
        return MEMBERS.decode(raw)
    except msgspec.DecodeError:
        return None


def _whole(body: bytes) -> _Whole:
    try:
        return decode(_WHOLE, body)
    except msgspec.DecodeError:
        raise UpstreamFailure("malformed", "the upstream's answer is not the JSON it should be", body=body) from None


def _check_answer(whole: _Whole, body: bytes, dialect: Dialect, sign: object, content: msgspec.Raw) -> None:
    """Refuse a body that holds an error, or nothing, in place of an answer.

    `sign` is what every answer has, `content` what stands for it where a server leaves it out.
    """
    if sign:
        return
    if bytes(whole.error) != b"null":
        raise failure_inside(body, dialect)
    if bytes(content) == b"null":
        raise UpstreamFailure("malformed", "the upstream's answer holds no answer", body=body)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _counts(raw: msgspec.Raw | bytes) -> _Counts | None:
    try:
        return _COUNTS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _count(value: Any) -> int:
    """A number of tokens, 0 for what is none; absurd ones are held down, so that every store can keep them."""
    if type(value) is int and 0 <= value <= _MAX_TOKENS:  # as nearly all are
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return min(max(int(value), 0), _MAX_TOKENS) if is_number else 0


def _first(*found: Any) -> int:
    """The first number that is told at all."""
    for one in found:
        if one is not None:
            return _count(one)
    return 0


def _details(*found: Any) -> Mapping[str, Any]:
    """The first that holds any details."""
    for one in found:
        if one and isinstance(one, dict):
            return one
    return {}


def _latest(value: Any, known: int) -> int:
    return known if value is None else _count(value)


__all__ = [
    "Answered",
    "anthropic_usage",
    "asks_usage",
    "openai_usage",
    "possible_usage",
    "read_responses_usage",
    "read_usage",
    "told_usage",
    "with_usage",
]
