"""The members of requests to /v1/messages, /v1/responses and /v1/embeddings, sent to upstreams that speak them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.gateway.conformance.cases import Case, Section, crossed
from tests.gateway.conformance.fields import HEAD, WEATHER, Field

CACHED = b'{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}'
TOOL = b'{"name": "weather", "input_schema": %b, "cache_control": {"type": "ephemeral"}}' % WEATHER
USE = b'{"type": "tool_use", "id": "toolu_7Yq", "name": "weather", "input": {"days": 1.0, "limit": 1e-7}}'
SIGNED = b'{"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"}'

MESSAGES: Sequence[Field] = (
    Field("cache_control", {"system": b"[%b]" % CACHED, "cache_control": b'{"type": "ephemeral"}'}),
    Field(
        "container, mcp_servers", {"container": b"null", "mcp_servers": b'[{"type": "url", "url": "https://x.test"}]'}
    ),
    Field(
        "document parts",
        {
            "messages": b'[{"role": "user", "content": [{"type": "document", "source": {"type": "text", "media_type": '
            b'"text/plain", "data": "x"}, "citations": {"enabled": true}}, {"type": "text", "text": "Sum up."}]}]'
        },
    ),
    Field("max_tokens 0 (filling the prompt cache)", {"max_tokens": b"0"}),
    Field("metadata", {"metadata": b'{"user_id":  "u-17", "other": 12345678901234567890}'}),
    Field(
        "output_config",
        {"output_config": b'{"effort": "low", "format": {"type": "json_schema", "schema": %b}}' % WEATHER},
    ),
    Field("service_tier", {"service_tier": b'"standard_only"'}),
    Field("stop_sequences", {"stop_sequences": b'["\\n\\nHuman:", "\xe7\xb5\x82"]'}),
    Field("system as a text", {"system": b'"Be\\u0020brief."'}),
    Field("system as parts", {"system": b'[%b,  {"type": "text", "text": "And kind."}]' % CACHED}),
    Field("temperature, top_p, top_k", {"temperature": b"0.10", "top_p": b"1.0", "top_k": b"40"}),
    Field("thinking", {"thinking": b'{"type": "enabled", "budget_tokens": 1024}', "max_tokens": b"2048"}),
    Field(
        "tools",
        {
            "tools": b'[%b, {"type": "web_search_20250305", "name": "web_search"}]' % TOOL,
            "tool_choice": b'{"type": "auto"}',
        },
    ),
    Field(
        "tool-use history",
        {
            "messages": b'[{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": [%b]}, {"role": '
            b'"user", "content": [{"type": "tool_result", "tool_use_id": "toolu_7Yq", "content": "21.50"}]}]' % USE
        },
    ),
    Field("an unknown field", {"x_new": b'{"deep": [1.0, 0.10, 1e-7, 12345678901234567890, {"": null}]}'}),
)
PINNED_MESSAGES: Sequence[Field] = (
    Field(
        "signed thinking in the history",
        {
            "messages": b'[{"role": "user", "content": "2?"}, {"role": "assistant", "content": [%b, {"type": "text", '
            b'"text": "2."}]}, {"role": "user", "content": "3?"}]' % SIGNED
        },
    ),
)
RESPONSES: Sequence[Field] = (
    Field("input as items", {"input": b'[{"role": "user", "content": [{"type": "input_text", "text": "2 + 2?"}]}]'}),
    Field(
        "instructions, metadata, user", {"instructions": b'"Be brief."', "metadata": b'{"a":  "b"}', "user": b'"u-17"'}
    ),
    Field("max_output_tokens, max_tool_calls", {"max_output_tokens": b"64", "max_tool_calls": b"3"}),
    Field("reasoning, include", {"reasoning": b'{"effort": "low"}', "include": b'["reasoning.encrypted_content"]'}),
    Field("store, background, truncation", {"store": b"false", "background": b"false", "truncation": b'"auto"'}),
    Field("temperature, top_p", {"temperature": b"0.10", "top_p": b"1.0"}),
    Field(
        "text format json_schema", {"text": b'{"format": {"type": "json_schema", "name": "w", "schema": %b}}' % WEATHER}
    ),
    Field("tools", {"tools": b'[{"type": "function", "name": "weather", "parameters": %b}]' % WEATHER}),
    Field("an unknown field", {"x_new": b'{"deep": [1.0, 0.10, 1e-7, 12345678901234567890]}'}),
)
EMBEDDINGS: Sequence[Field] = (
    Field("input as a text", {"input": b'"one  \\u00e9"'}),
    Field("input as texts", {"input": b'["one",  "two"]'}),
    Field("input as tokens", {"input": b"[[1, 2], [3]]"}),
    Field("dimensions, encoding_format, user", {"dimensions": b"8", "encoding_format": b'"base64"', "user": b'"u-17"'}),
    Field("an unknown field", {"x_new": b"[1.0, 0.10, 1e-7, 12345678901234567890]"}),
)
MESSAGES_CASES: list[Case] = [
    *crossed([field.name for field in MESSAGES], [("messages", "anthropic")], ("routed", "pinned")),
    *crossed([field.name for field in PINNED_MESSAGES], [("messages", "anthropic")], ("pinned",)),
]
RESPONSES_CASES = crossed([field.name for field in RESPONSES], [("responses", "openai")], ("routed", "pinned"))
EMBEDDINGS_CASES = crossed([field.name for field in EMBEDDINGS], [("embeddings", "openai")], ("pinned",), (False,))


def messages() -> Section:
    """The part of the table on /v1/messages."""
    return Section(
        "Messages: request fields",
        "Each arrives at an upstream of Anthropic's dialect byte for byte, and nothing is added; so do the headers\n"
        "`anthropic-beta` and `anthropic-version`, which no other upstream sees.",
        HEAD,
        [field.row(MESSAGES_CASES) for field in (*MESSAGES, *PINNED_MESSAGES)],
        MESSAGES_CASES,
    )


def responses() -> Section:
    """The part of the table on /v1/responses."""
    return Section(
        "Responses: request fields",
        "Each arrives byte for byte at a candidate that speaks `/v1/responses`; it is never translated. A\n"
        "`previous_response_id` leads to the candidate that gave that response.",
        HEAD,
        [field.row(RESPONSES_CASES) for field in RESPONSES],
        RESPONSES_CASES,
    )


def embeddings() -> Section:
    """The part of the table on /v1/embeddings."""
    return Section(
        "Embeddings: request fields",
        "Each arrives byte for byte, the vectors come back as they are. Never routed: vectors of different models do\n"
        "not compare.",
        HEAD,
        [field.row(EMBEDDINGS_CASES) for field in EMBEDDINGS],
        EMBEDDINGS_CASES,
    )
