"""The members of a chat request, each with values that show whether they arrive as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.gateway.conformance.cases import OWN, Case, Section, crossed, spread

WEATHER = b'{"type": "object", "properties": {"city": {"type": "string", "maxLength": 40}}, "required": ["city"]}'
ARGUMENTS = b'"{\\"city\\": \\"\xe6\x9d\xb1\xe4\xba\xac\\"}"'
CALL = b'{"id": "call_7Yq", "type": "function", "function": {"name": "weather", "arguments": %b}}' % ARGUMENTS
CUSTOM_CALL = b'{"id": "call_8Zr", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}'
RESULT = b'{"role": "tool", "tool_call_id": "call_7Yq", "content": "21.50 degrees"}'
LONGEST = 70
HEAD = ("field", "sent", "dialects", "how", "streamed")
PIXEL = b'{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}'


@dataclass(frozen=True, slots=True)
class Field:
    """A row of the table: what is sent, member by member, as JSON."""

    name: str
    members: Mapping[str, bytes]

    @property
    def sent(self) -> str:
        """The members as a cell of the table; long values by their first characters."""
        shown = (f"{name}: {value.decode()}" for name, value in self.members.items())
        return ", ".join(f"`{text if len(text) <= LONGEST else text[:LONGEST] + '…'}`" for text in shown)

    def row(self, cases: Sequence[Case]) -> tuple[str, ...]:
        """The row of the table."""
        return (self.name, self.sent, *spread(cases, self.name))


FIELDS: Sequence[Field] = (
    Field("audio", {"audio": b'{"voice": "alloy", "format": "wav"}', "modalities": b'["text", "audio"]'}),
    Field("frequency_penalty", {"frequency_penalty": b"0.10"}),
    Field(
        "functions",
        {"functions": b'[{"name": "weather", "parameters": %b}]' % WEATHER, "function_call": b'{"name": "weather"}'},
    ),
    Field("logit_bias", {"logit_bias": b'{"50256": -1e2, "1": 1.0}'}),
    Field("logprobs", {"logprobs": b"true"}),
    Field("top_logprobs", {"logprobs": b"true", "top_logprobs": b"5"}),
    Field("max_completion_tokens", {"max_completion_tokens": b"64"}),
    Field("max_tokens", {"max_tokens": b"64"}),
    Field("metadata", {"metadata": b'{"team":  "a", "ticket": "12345678901234567890"}'}),
    Field("modalities", {"modalities": b'["text"]'}),
    Field("n", {"n": b"2"}),
    Field("parallel_tool_calls", {"parallel_tool_calls": b"false"}),
    Field("prediction", {"prediction": b'{"type": "content", "content": "def f():\\n    pass"}'}),
    Field("presence_penalty", {"presence_penalty": b"-0.50"}),
    Field("prompt_cache_key", {"prompt_cache_key": b'"tenant-7/long prompt"'}),
    Field("reasoning_effort", {"reasoning_effort": b'"high"'}),
    Field("response_format json_object", {"response_format": b'{"type": "json_object"}'}),
    Field(
        "response_format json_schema",
        {"response_format": b'{"type":"json_schema","json_schema":{"name":"w","strict":true,"schema":%b}}' % WEATHER},
    ),
    Field("safety_identifier", {"safety_identifier": b'"user-\\u00e9-9"'}),
    Field("seed", {"seed": b"12345678901234567890"}),
    Field("service_tier", {"service_tier": b'"flex"'}),
    Field("stop", {"stop": b'["\\n\\n", "END", "\xe7\xb5\x82"]'}),
    Field("store", {"store": b"true"}),
    Field("stream_options", {"stream_options": b'{"include_usage": true, "include_obfuscation":  false}'}),
    Field("temperature", {"temperature": b"1e-7"}),
    Field(
        "tool_choice",
        {
            "tools": b'[{"type": "function", "function": {"name": "weather", "parameters": %b}}]' % WEATHER,
            "tool_choice": b'{"type": "function", "function": {"name": "weather"}}',
        },
    ),
    Field(
        "tools function",
        {
            "tools": b'[{"type": "function", "function": {"name": "weather", "strict": true, "parameters": %b}}]'
            % WEATHER
        },
    ),
    Field(
        "tools custom",
        {"tools": b'[{"type": "custom", "custom": {"name": "sql", "format": {"type": "grammar", "x": 1.0}}}]'},
    ),
    Field("top_p", {"top_p": b"1.0"}),
    Field("user", {"user": b'"user-17"'}),
    Field("verbosity", {"verbosity": b'"low"'}),
    Field("web_search_options", {"web_search_options": b'{"search_context_size": "low", "user_location": null}'}),
    Field("an unknown field", {"x_new": b'{"deep": [1.0, 0.10, 1e-7, 12345678901234567890, {"": null}]}'}),
    Field("null for what is not set", {"tools": b"null", "stop": b"null", "max_tokens": b"null", "user": b"null"}),
    Field(
        "developer role",
        {"messages": b'[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]'},
    ),
    Field(
        "image parts",
        {"messages": b'[{"role": "user", "content": [{"type": "text", "text": "What is this?"}, %b]}]' % PIXEL},
    ),
    Field(
        "tool-call history",
        {
            "messages": b'[{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": null, '
            b'"tool_calls": [%b]}, %b, {"role": "assistant", "content": "Mild."}, {"role": "user", "content": "Now?"}]'
            % (CALL, RESULT)
        },
    ),
    Field(
        "an open tool call",
        {
            "messages": b'[{"role": "user", "content": "Weather here?"}, {"role": "assistant", "content": null, '
            b'"tool_calls": [%b, %b]}, %b]' % (CALL, CUSTOM_CALL, RESULT)
        },
    ),
)
FIELD_CASES: list[Case] = crossed([field.name for field in FIELDS], OWN[:1], ("routed", "pinned"))


def fields() -> Section:
    """The part of the table."""
    return Section(
        "Chat completions: request fields",
        "Each arrives at an upstream of OpenAI's dialect byte for byte, numbers as written (`0.10`, `1e-7`, `1.0`,\n"
        "`12345678901234567890`), in the order sent. Only `model` is replaced, `tenbin` taken out, and the usage of a\n"
        "stream asked for. What OpenAI's reasoning models refuse is put otherwise where a router chose one of them:\n"
        "`max_tokens` is `max_completion_tokens` then, `temperature` and `top_p` are left out.",
        HEAD,
        [field.row(FIELD_CASES) for field in FIELDS],
        FIELD_CASES,
    )
