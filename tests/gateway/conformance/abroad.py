"""What becomes of each field before an upstream of the other dialect: said in its words, left out, or refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.gateway.conformance.cases import Case, Section, crossed, spread

LEFT_OUT, REFUSED = "left out", "refused"
CHAT: Mapping[str, str] = {
    "audio": REFUSED,
    "frequency_penalty": REFUSED,
    "functions": REFUSED,
    "logit_bias": REFUSED,
    "logprobs": REFUSED,
    "top_logprobs": REFUSED,
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "metadata": LEFT_OUT,
    "modalities": LEFT_OUT,
    "n": REFUSED,
    "parallel_tool_calls": LEFT_OUT,
    "prediction": LEFT_OUT,
    "presence_penalty": REFUSED,
    "prompt_cache_key": LEFT_OUT,
    "reasoning_effort": "thinking",
    "response_format json_object": REFUSED,
    "response_format json_schema": "output_config",
    "safety_identifier": "metadata",
    "seed": LEFT_OUT,
    "service_tier": "service_tier",
    "stop": REFUSED,
    "store": REFUSED,
    "stream_options": LEFT_OUT,
    "temperature": "temperature",
    "tool_choice": "tool_choice",
    "tools function": "tools",
    "tools custom": REFUSED,
    "top_p": "top_p",
    "user": "metadata",
    "verbosity": REFUSED,
    "web_search_options": REFUSED,
    "an unknown field": REFUSED,
    "null for what is not set": LEFT_OUT,
    "developer role": "system",
    "image parts": "messages",
    "tool-call history": "messages",
    "an open tool call": REFUSED,
}
WHY: Mapping[str, str] = {
    "parallel_tool_calls": "left out: there are no tools",
    "modalities": "left out: text is all there is",
    "stop": "refused: one of them is only white space",
    "an open tool call": "refused: one is of a custom tool",
}
MESSAGES: Mapping[str, str] = {
    "cache_control": "messages",
    "container, mcp_servers": REFUSED,
    "document parts": REFUSED,
    "max_tokens 0 (filling the prompt cache)": REFUSED,
    "metadata": "user",
    "output_config": REFUSED,
    "service_tier": "service_tier",
    "stop_sequences": "stop",
    "system as a text": "messages",
    "system as parts": "messages",
    "temperature, top_p, top_k": REFUSED,
    "thinking": "reasoning_effort",
    "tools": REFUSED,
    "tool-use history": "messages",
    "an unknown field": REFUSED,
    "signed thinking in the history": "messages",
}
CHAT_CASES: list[Case] = crossed(CHAT, [("chat", "anthropic")], ("pinned",))
MESSAGES_CASES: list[Case] = crossed(MESSAGES, [("messages", "openai")], ("pinned",))


def abroad() -> Section:
    """The part of the table."""
    rows = []
    for became, cases in ((CHAT, CHAT_CASES), (MESSAGES, MESSAGES_CASES)):
        for name, what in became.items():
            dialects, _, streams = spread(cases, name)
            said = WHY.get(name, what if what in (LEFT_OUT, REFUSED) else f"said in `{what}`")
            rows.append((name, dialects, streams, said))
    return Section(
        "Fields before an upstream of the other dialect",
        "Refused: 400 `unsupported_parameter` with the field as `param` from a pinned model; a routed request goes to\n"
        "a candidate of the client's dialect. Left out: without influence on what the answer says.",
        ("field", "dialects", "streamed", "becomes"),
        rows,
        [*CHAT_CASES, *MESSAGES_CASES],
    )
