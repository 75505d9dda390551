"""Which request fields cross from one dialect to the other, which are dropped and why.

`DROPPED` is what the reference page prints: by the dialect of the client, field and reason. A field named nowhere here
has no counterpart, and a candidate of the other dialect is then not eligible.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DROPPED: Mapping[str, Mapping[str, str]] = {
    "openai": {
        "metadata": "labels for OpenAI's dashboard; without influence on the answer",
        "prediction": "only makes an answer faster",
        "prompt_cache_key": "only steers OpenAI's prompt cache",
        "prompt_cache_options": "only steers OpenAI's prompt cache",
        "prompt_cache_retention": "only steers OpenAI's prompt cache",
        "seed": "best effort at OpenAI, unknown to Anthropic; neither promises the same answer twice",
        "service_tier = flex": "a price class; the candidate's own price holds, and standard_only is asked for",
        "stream_options": "include_usage is honoured by the stream translator, include_obfuscation is padding",
        "tenbin": "Tenbin's own dials",
        "temperature, top_p": "where the Claude model refuses them (4.7 and later, while thinking, both at once)",
        "temperature > 1": "lowered to 1, the highest that Anthropic takes",
        "reasoning_effort": "where thinking cannot be on: a forced tool choice, a budget that does not fit max_tokens",
        "tool_choice": "without tools there is nothing to choose",
        "messages[].name": "Anthropic knows no participants' names",
        "messages[].reasoning_content": "reasoning of another turn, unsigned",
        "messages[].content[] thinking": "the same, as Mistral writes it",
        "messages[].content[].image_url.detail": "a resolution hint",
        "tools[].function.parameters limits": "of strict tools and json_schema: told in the description, not enforced",
    },
    "anthropic": {
        "cache_control": "prompt caching is automatic at OpenAI; on any block, tool or the whole request",
        "context_management": "only prunes old tool results and thinking; the whole history is sent",
        "diagnostics": "only explains Anthropic's own cache",
        "metadata other than user_id": "nothing else is defined there",
        "output_config.effort": "where the model takes no reasoning_effort; xhigh and max become high",
        "service_tier": "auto and standard_only become auto and default",
        "system[] x-anthropic-billing-header": "Claude Code's note to Anthropic, new each time: it would spoil caching",
        "temperature, top_p": "where the OpenAI reasoning model refuses them",
        "tenbin": "Tenbin's own dials",
        "thinking = disabled": "the default of a request without reasoning_effort",
        "thread": "held by Anthropic only: a turn that would go on with it is told to send all of it",
        "thinking.display": "how thinking is shown is the other provider's matter",
        "messages[].content[] thinking, redacted_thinking": "signed state of one family; no other can read it",
        "messages[].content[].citations": "where a text came from; the text itself stays",
        "tools[].eager_input_streaming": "only how a call's input is streamed",
        "tools[].type = custom": "the default",
    },
}

SAID_BY_BOTH: Mapping[str, frozenset[str]] = {
    "openai": frozenset(
        {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "stream"}
        | {"stream_options", "tools", "tool_choice", "parallel_tool_calls", "user", "safety_identifier"}
        | {"reasoning_effort", "response_format", "service_tier"}
    ),
    "anthropic": frozenset(
        {"model", "messages", "max_tokens", "system", "temperature", "top_p", "stop_sequences", "stream", "tools"}
        | {"tool_choice", "metadata", "thinking", "output_config", "output_format", "service_tier"}
    ),
}

# Values with which a field that only one side knows asks for nothing.
ASKS_NOTHING: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "openai": {
        "audio": (),
        "frequency_penalty": (0,),
        "function_call": ("none",),
        "functions": ([],),
        "logit_bias": ({},),
        "logprobs": (False,),
        "modalities": (["text"],),
        "n": (1,),
        "presence_penalty": (0,),
        "store": (False,),
        "top_logprobs": (0,),
        "verbosity": ("medium",),
    },
    "anthropic": {"speed": ("standard",), "mcp_servers": ([],)},
}


def field_without_counterpart(body: Mapping[str, Any], dialect: str) -> str | None:
    """The first top-level field of a request that asks for something which the other dialect cannot say."""
    said, dropped, nothing = SAID_BY_BOTH[dialect], DROPPED[dialect], ASKS_NOTHING[dialect]
    for field, value in body.items():
        if field in said or field in dropped or value is None or value in nothing.get(field, ()):
            continue
        return field
    return None
