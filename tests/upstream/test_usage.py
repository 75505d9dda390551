"""Usage of whole answers, and the asking for it in streams."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.types import Usage
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.stream import OpenAIStream, ResponsesStream
from tenbin.upstream.usage import (
    Answered,
    anthropic_usage,
    asks_usage,
    openai_usage,
    possible_usage,
    read_responses_usage,
    read_usage,
    told_usage,
    with_usage,
)


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, Usage(9, 4)),
        ({"prompt_tokens": 9, "total_tokens": 9}, Usage(9, 0)),  # embeddings
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 6,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 6, 8, 0, 5),
        ),
        # xAI: reasoning beside the completion.
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 6,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 11, 0, 0, 5),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(9, 6, 0, 0, 5),
        ),
        # An answer that was cut while it thought: all of it is reasoning, once.
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(9, 5, 0, 0, 5),
        ),
        # A surplus that is no reasoning is left alone.
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 6,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(9, 6, 0, 0, 3),
        ),
        # Google: hidden reasoning only in the total.
        ({"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 20}, Usage(9, 11, 0, 0, 5)),
        # DeepSeek, OpenRouter, servers that write floats or nulls.
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}, Usage(9, 1, 4)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5}},
            Usage(9, 0, 4, 5),
        ),
        ({"prompt_tokens": 9.0, "completion_tokens": None, "prompt_tokens_details": None}, Usage(9, 0)),
        # Moonshot; LiteLLM and Alibaba in front of explicit caches, whose writes are part of the prompt.
        ({"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 4}, Usage(9, 1, 4)),
        (
            {"prompt_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3},
            Usage(9, 0, 4, 3),
        ),
        (
            {
                "prompt_tokens": 9,
                "prompt_tokens_details": {
                    "cached_tokens": 4,
                    "cache_creation_input_tokens": 3,
                    "cache_creation": {"ephemeral_1h_input_tokens": 2},
                },
            },
            Usage(9, 0, 4, 3, cache_write_1h_tokens=2),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cache_creation_tokens": 30}}, Usage(9, 0, 0, 9)),
        # OpenAI: audio that was sent and spoken.
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 60,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 70},
                "completion_tokens_details": {"audio_tokens": 50},
            },
            Usage(90, 60, 8, audio_input_tokens=70, audio_output_tokens=50),
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 7}},
            Usage(9, 0, 5, audio_input_tokens=4),
        ),
        ({"prompt_tokens": -3, "completion_tokens": 2, "total_tokens": 2}, Usage(0, 2)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 7}}, Usage(5, 0, 5)),
        # What only refines a bill loses none of it.
        *(
            ({"prompt_tokens": 9, "completion_tokens": 4, **odd}, Usage(9, 4))
            for odd in (
                {"prompt_tokens_details": []},
                {"completion_tokens_details": "none"},
                {"prompt_tokens_details": {"cached_tokens": "4", "cache_write_tokens": True}},
                {"completion_tokens_details": {"reasoning_tokens": [3]}},
                {"total_tokens": "13"},
                {"prompt_cache_hit_tokens": {}},
            )
        ),
        ({"prompt_tokens": 9, "completion_tokens": "many"}, None),
        ({"prompt_tokens": 10**30, "completion_tokens": 1e300}, Usage(2**40, 2**40)),
        (None, None),
        ({}, None),
        ([], None),
        ("x", None),
        ({"prompt_tokens": "many"}, None),
    ],
)
def test_openai_counts(counts: Any, usage: Usage | None) -> None:
    assert openai_usage(raw(counts)) == usage


def test_the_tier_that_an_answer_was_served_in() -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 4}
    chat = {"choices": [{"finish_reason": "stop"}], "usage": counts}
    response = {"status": "completed", "usage": {"input_tokens": 9, "output_tokens": 4}}
    for served_as, tier in (("priority", "priority"), ("flex", "flex"), ("default", None), (None, None), ([1], None)):
        told = Usage(9, 4, tier=tier)
        assert read_usage("openai", raw({**chat, "service_tier": served_as})).usage == told
        assert read_responses_usage(raw({**response, "service_tier": served_as})).usage == told
        last = raw({"choices": [], "usage": counts, "service_tier": served_as})
        chunks = OpenAIStream(strip_usage=True)
        chunks.feed(b"data: " + last + b"\n\n")
        assert chunks.usage == told
        events = ResponsesStream()
        done = {"type": "response.completed", "response": {**response, "service_tier": served_as}}
        events.feed(b"data: " + raw(done) + b"\n\n")
        assert events.usage == told


def test_anthropic_counts() -> None:
    counts = {
        "input_tokens": 3,
        "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "output_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 5},
    }
    assert anthropic_usage(raw(counts)) == Usage(18, 7, 10, 5)
    for hour, found in ((3, 3), (9, 5), ("3", 0), (None, 0)):
        told = {**counts, "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": hour}}
        assert anthropic_usage(raw(told)) == Usage(18, 7, 10, 5, cache_write_1h_tokens=found)
    for speed, tier in (("fast", "priority"), ("standard", None), (None, None), ([], None)):
        assert anthropic_usage(raw({**counts, "speed": speed})) == Usage(18, 7, 10, 5, tier=tier)
    begun = Usage(18, 1, 10, 5, cache_write_1h_tokens=3, tier="priority")
    assert anthropic_usage(raw({"output_tokens": 9, "cache_creation": None}), begun) == msgspec.structs.replace(
        begun, output_tokens=9
    )
    assert anthropic_usage(raw({"input_tokens": 3, "output_tokens": 7, "cache_read_input_tokens": None})) == Usage(3, 7)
    assert anthropic_usage(raw({"output_tokens": 9}), Usage(18, 1, 10, 5)) == Usage(18, 9, 10, 5)
    assert anthropic_usage(raw({"input_tokens": 3})) == Usage(3, 0)
    assert anthropic_usage(raw(None), Usage(18, 1)) == Usage(18, 1)
    thought = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    assert anthropic_usage(raw(thought), Usage(18, 1)) == Usage(18, 9, reasoning_tokens=4)
    for odd in ([], "x", {"thinking_tokens": "4"}):
        assert anthropic_usage(raw({"output_tokens": 9, "output_tokens_details": odd})) == Usage(0, 9)


def test_zeros_beside_words_count_nothing() -> None:
    for void in (Usage(0, 0), Usage(5, 0), Usage(0, 5)):
        assert told_usage(void, "Lead.") is None
        assert told_usage(void, "") == void
    assert told_usage(Usage(5, 1), "Lead.") == Usage(5, 1)
    assert told_usage(None, "Lead.") is None


@pytest.mark.parametrize(
    ("window", "sent", "answers", "most_in", "most_out"),
    [(1000, 500, 1, 4000, 4000), (1000, 2000, 1, 8000, 8000), (1000, 500, 3, 4000, 12_000), (None, 9, 1, 2**22, 2**22)],
)
def test_counts_beyond_four_windows_are_no_counts(
    window: int | None, sent: int, answers: int, most_in: int, most_out: int
) -> None:
    most = Usage(most_in, most_out)
    assert possible_usage(most, window, sent, answers) == most
    assert possible_usage(Usage(most_in + 1, 1), window, sent, answers) is None
    assert possible_usage(Usage(1, most_out + 1), window, sent, answers) is None
    assert possible_usage(None, window, sent, answers) is None
    assert possible_usage(Usage(1, most_in + 1), window, sent) is None


NAMES = (
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens cache_read_input_tokens "
    "cache_creation_input_tokens prompt_tokens_details"
)
COUNTS = st.dictionaries(
    st.sampled_from(NAMES.split()),
    st.integers() | st.none() | st.floats(allow_nan=False) | st.dictionaries(st.just("cached_tokens"), st.integers()),
)


@given(COUNTS)
def test_whatever_the_counts_the_parts_stay_inside_the_whole(counts: dict[str, Any]) -> None:
    for usage in (openai_usage(raw(counts)), anthropic_usage(raw(counts))):
        if usage is not None:
            assert 0 <= usage.cached_tokens + usage.cache_write_tokens <= usage.input_tokens
            assert 0 <= usage.reasoning_tokens <= usage.output_tokens < 2**63


def test_a_whole_chat_answer() -> None:
    body = {
        "id": "c",
        "choices": [{"message": {"content": "x", "refusal": None}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "error": None,
    }
    assert read_usage("openai", raw(body)) == Answered(Usage(1, 2), "c", "stop", False)
    body["choices"].append({"message": {"refusal": "no"}, "finish_reason": "length"})
    assert read_usage("openai", raw(body)) == Answered(Usage(1, 2), "c", "stop", False)
    body["choices"] = [{"message": {"refusal": "no"}, "finish_reason": "stop"}]
    assert read_usage("openai", raw(body)).is_refusal
    body["choices"] = [{"message": {}, "finish_reason": "content_filter"}]
    assert read_usage("openai", raw(body)).is_refusal


def test_a_whole_message_response_and_embedding() -> None:
    message = {"id": "m", "type": "message", "stop_reason": "refusal", "usage": {"input_tokens": 1, "output_tokens": 2}}
    assert read_usage("anthropic", raw(message)) == Answered(Usage(1, 2), "m", "refusal", True)
    response = {"id": "r", "status": "completed", "error": None, "usage": {"input_tokens": 1, "output_tokens": 2}}
    assert read_responses_usage(raw(response)) == Answered(Usage(1, 2), "r", "completed")
    embedding = {"object": "list", "data": [], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    assert read_usage("openai", raw(embedding)) == Answered(Usage(3, 0))


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"[]", b'{"choices": [', b'{"choices": "x"}', b"[" * 200_000])
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    for read in (lambda: read_usage("openai", body), lambda: read_responses_usage(body)):
        with pytest.raises(UpstreamFailure) as caught:
            read()
        assert caught.value.kind == "malformed"
        assert caught.value.body == body


def test_an_error_in_place_of_an_answer() -> None:
    body = raw({"error": {"message": "busy", "code": 503}})
    for read in (lambda: read_usage("openai", body), lambda: read_responses_usage(body)):
        with pytest.raises(UpstreamFailure) as caught:
            read()
        assert (caught.value.kind, caught.value.status) == ("overloaded", 503)


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [({"code": "rate_limit_exceeded", "message": "busy"}, "rate_limited", 429), (None, "server_error", 500)],
)
def test_a_whole_response_that_failed_is_no_answer(error: object, kind: str, status: int) -> None:
    body = raw({"id": "r", "status": "failed", "error": error, "output": [], "usage": {"input_tokens": 1}})
    with pytest.raises(UpstreamFailure) as caught:
        read_responses_usage(body)
    assert (caught.value.kind, caught.value.status) == (kind, status)


def members(body: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def written(asked: dict[str, msgspec.Raw]) -> bytes:
    return msgspec.json.encode(asked)


def test_asking_for_usage_touches_nothing_else() -> None:
    assert written(with_usage(members(b'{"a":1.50,"b":[1, 2e0]}'))) == (
        b'{"a":1.50,"b":[1, 2e0],"stream_options":{"include_usage":true}}'
    )
    body = b'{"stream_options":{"x":1.0,"include_usage":false},"a":"\\u00e9"}'
    assert written(with_usage(members(body))) == b'{"stream_options":{"x":1.0,"include_usage":true},"a":"\\u00e9"}'
    given_ = members(b'{"stream_options":null}')
    assert written(with_usage(given_)) == b'{"stream_options":{"include_usage":true}}'
    assert written(given_) == b'{"stream_options":null}'


@pytest.mark.parametrize("body", [b'{"stream_options":"x"}', b'{"stream_options":[1]}'])
def test_options_that_are_none_are_left_to_the_upstream(body: bytes) -> None:
    assert written(with_usage(members(body))) == body
    assert not asks_usage(members(body))


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        (b"{}", False),
        (b'{"stream_options":null}', False),
        (b'{"stream_options":{}}', False),
        (b'{"stream_options":{"include_usage": true }}', True),
        (b'{"stream_options":{"include_usage":false}}', False),
        (b'{"stream_options":{"include_usage":null}}', False),
    ],
)
def test_who_asked(body: bytes, asks: bool) -> None:
    assert asks_usage(members(body)) is asks
    assert asks_usage(with_usage(members(body)))


def test_what_was_read_is_not_unread_by_zeros_at_the_end_of_a_stream() -> None:
    """Some servers of Anthropic's dialect fill the last counts with zeros: the input was billed at nothing."""
    start = anthropic_usage(raw({"input_tokens": 100, "cache_creation_input_tokens": 7, "output_tokens": 1}))
    end = {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 9}
    assert anthropic_usage(raw(end), start) == Usage(107, 9, cache_write_tokens=7)
    assert anthropic_usage(raw({**end, "cache_read_input_tokens": 90}), start) == Usage(90, 9, cached_tokens=90)
