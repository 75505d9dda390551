"""A session as Claude Code has it: a long cached system prompt, many tools, thinking, a tool loop over several turns.

To a candidate of Anthropic's dialect it arrives untouched; to one of OpenAI's it is translated, turn after turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tenbin.testing import Answer
from tenbin.types import Usage
from tests.gateway.clients.conftest import Place
from tests.gateway.clients.package import Package

pytestmark = pytest.mark.extra
anthropic = Package("anthropic")

EPHEMERAL = {"type": "ephemeral", "ttl": "1h"}
RULES = "Follow the conventions of the code at hand, and never guess the content of a file. "
NOTE = "x-anthropic-billing-header: cc_version=2.1.117.48f; cc_entrypoint=cli; cch="
SYSTEM = [
    {"type": "text", "text": "You are an interactive agent in a terminal.", "cache_control": EPHEMERAL},
    {"type": "text", "text": RULES * 250, "cache_control": EPHEMERAL},
]
TOOL_NAMES = ("Bash", "Read", "Edit", "Write", "Glob", "Grep", "WebFetch", "WebSearch", "TodoWrite", "Task")
PATHS = {"file_path": {"type": "string", "description": "Absolute path"}, "limit": {"type": "integer"}}
BETAS = [
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "mid-conversation-system-2026-04-07",
    "effort-2025-11-24",
]
HEADERS = {
    "anthropic-version": "2023-06-01",
    "user-agent": "claude-cli/2.1.0 (external, cli)",
    "x-app": "cli",
    "x-claude-code-session-id": "5e55",
}
USER = "user_" + "0123456789abcdef" * 4 + "_account__session_5e55"
TURNS = 4


def tools() -> list[dict[str, Any]]:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": PATHS,
        "required": ["file_path"],
        "additionalProperties": False,
    }
    made: list[dict[str, Any]] = [
        {"name": name, "description": f"{name}s in the project. " * 20, "input_schema": schema}
        for name in (*TOOL_NAMES, *(f"mcp__server__tool_{i}" for i in range(20)))
    ]
    made[-1]["cache_control"] = EPHEMERAL
    return made


def request(model: str, messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": 32_000,
        "system": [{"type": "text", "text": f"{NOTE}{len(messages):05x};"}, *SYSTEM],  # its number is ever new
        "tools": tools(),
        "messages": messages,
        "metadata": {"user_id": USER},
        "thinking": {"type": "enabled", "budget_tokens": 31_999},
        "betas": BETAS,
        "extra_headers": HEADERS,
        "extra_query": {"beta": "true"},
        "extra_body": {
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            "output_config": {"effort": "medium"},
        },
        **fields,
    }


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=place.origin, auth_token=place.key, max_retries=0) as made:
        yield made


def opening() -> list[dict[str, Any]]:
    reminder = {"type": "text", "text": "<system-reminder>Today is a fine day.</system-reminder>"}
    asked = {"type": "text", "text": "Prove that the tests hold.", "cache_control": EPHEMERAL}
    return [{"role": "user", "content": [reminder, asked]}, {"role": "system", "content": "Agents: none."}]


def loop(client: Any, model: str, messages: list[dict[str, Any]], scripted: list[Answer]) -> list[Any]:
    """One task: the agent calls tools and gets their results until it has an answer."""
    finals = []
    for turn in range(len(scripted)):
        choice = {"tool_choice": {"type": "tool", "name": "Read"}} if turn < len(scripted) - 1 else {}
        if choice and model == "claude":
            choice["thinking"] = {"type": "disabled"} if turn % 2 else request(model, [])["thinking"]
        with client.beta.messages.stream(**request(model, messages, **choice)) as stream:
            final = stream.get_final_message()
        finals.append(final)
        messages.append({"role": "assistant", "content": [block.to_dict() for block in final.content]})
        results = [
            {
                "type": "tool_result",
                "tool_use_id": block.id,
                "content": f"line {turn} of the file",
                "is_error": turn == 1,
            }
            for block in final.content
            if block.type == "tool_use"
        ]
        if results:
            messages.append({"role": "user", "content": results})
    return finals


@pytest.mark.parametrize("model", ["claude", "good"])
def test_a_tool_loop_of_several_turns(client: Any, place: Place, model: str) -> None:
    messages = opening()
    finals = loop(client, model, messages, [Answer()] * TURNS)
    assert [final.stop_reason for final in finals] == ["tool_use"] * (TURNS - 1) + ["end_turn"]
    calls = [block for final in finals for block in final.content if block.type == "tool_use"]
    assert len({call.id for call in calls}) == TURNS - 1
    assert all(call.input == {"file_path": "text", "limit": 1} for call in calls)
    text = [block.text for block in finals[-1].content if block.type == "text"]
    assert text[0].endswith(f"line {TURNS - 2} of the file")
    assert [r.model for r in place[model].requests] == [place[model].requests[0].model] * TURNS
    assert all(final.usage.input_tokens > 4000 for final in finals)


def test_to_its_own_dialect_all_arrives_untouched(client: Any, place: Place) -> None:
    messages = opening()
    loop(client, "claude", messages, [Answer()] * TURNS)
    for sent in place["claude"].requests:
        assert sent.path.endswith("/messages?beta=true")
        assert set(BETAS) <= set(sent.headers["anthropic-beta"].split(","))
        assert sent.headers["anthropic-version"] == "2023-06-01"
        assert sent.json["system"][0]["text"].startswith(NOTE)
        assert sent.json["system"][1:] == SYSTEM
        assert sent.json["tools"] == tools()
        assert sent.json["metadata"] == {"user_id": USER}
        assert sent.json["context_management"]["edits"][0]["type"] == "clear_thinking_20251015"
        assert sent.json["output_config"] == {"effort": "medium"}
    last = place["claude"].requests[-1].json["messages"]
    assert last == messages[: len(last)]
    assert last[2]["content"][0]["type"] == "thinking"
    assert last[2]["content"][0]["signature"]


def test_to_the_other_dialect_it_is_said_in_its_words(client: Any, place: Place) -> None:
    loop(client, "good", opening(), [Answer()] * TURNS)
    sent = place["good"].requests[-1]
    body, text = sent.json, sent.body.decode()
    assert sent.path.endswith("/chat/completions")
    assert not {"thinking", "context_management", "metadata", "system", "output_config"} & set(body)
    assert "cache_control" not in text
    assert not [name for name in sent.headers if name.startswith("anthropic-")]
    assert body["reasoning_effort"] == "medium"
    assert body["max_completion_tokens"] == 32_000
    assert len(body["user"]) <= 64
    assert [t["function"]["name"] for t in body["tools"]] == [t["name"] for t in tools()]
    roles = [m["role"] for m in body["messages"]]
    assert roles == ["system", "user", "system", *["assistant", "tool"] * (TURNS - 1)]
    assert body["messages"][0]["content"] == f"{SYSTEM[0]['text']}\n\n{SYSTEM[1]['text']}"
    prefixes = {json.dumps(r.json["messages"][:2]) for r in place["good"].requests}
    assert len(prefixes) == 1, "what a prompt cache holds of it stays the same"
    for call, result in zip(body["messages"][3::2], body["messages"][4::2], strict=True):
        assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert body["messages"][6]["content"] == "Error: line 1 of the file"


def test_a_routed_session_stays_with_its_model(client: Any, place: Place) -> None:
    """Whoever opened a tool loop goes on with it; its thinking is shown to nobody else."""
    messages = opening()
    finals = loop(client, "tenbin/auto", messages, [Answer()] * TURNS)
    assert finals[-1].stop_reason == "end_turn"
    assert len({final.model for final in finals}) == 1
    assert len(set(place.upstreams.called())) == 1
    messages.append({"role": "user", "content": "Thanks, now say hello."})
    loop(client, "tenbin/auto", messages, [Answer()])
    assert len(set(place.upstreams.called())) == 1


def test_a_session_that_moves_to_the_other_dialect_leaves_its_thinking_behind(client: Any, place: Place) -> None:
    """What a user does with /model: the next turn goes to another family, and comes back."""
    messages = opening()
    loop(client, "claude", messages, [Answer()] * 2)
    messages.append({"role": "user", "content": "Go on."})
    loop(client, "good", messages, [Answer()])
    sent = place["good"].requests[-1].body.decode()
    assert "signature" not in sent
    assert "toolu_" in sent
    messages.append({"role": "user", "content": "And once more."})
    finals = loop(client, "claude", messages, [Answer()])
    assert finals[-1].stop_reason == "end_turn"


def test_counting_and_the_small_model(client: Any, place: Place) -> None:
    told = request("tenbin/auto", opening())
    for name in ("max_tokens", "metadata"):
        told.pop(name)
    counted = client.beta.messages.count_tokens(**told).input_tokens
    place["claude"].script = [Answer(usage=Usage(counted, 5))]
    assert 4000 < counted < 20_000
    quota = {"messages": [{"role": "user", "content": "quota"}], "max_tokens": 1, "metadata": {"user_id": USER}}
    answer = client.beta.messages.create(model="cheap", betas=BETAS, extra_headers=HEADERS, **quota)
    assert answer.usage.output_tokens == 1
    assert answer.stop_reason == "max_tokens"


def test_what_is_cached_is_counted_as_cached(client: Any, place: Place) -> None:
    place["claude"].script = [Answer(usage=Usage(5000, 9, cached_tokens=4000, cache_write_tokens=500))]
    place["good"].script = [Answer(usage=Usage(5000, 9, cached_tokens=4000))]
    for model, written in (("claude", 500), ("good", 0)):
        with client.beta.messages.stream(**request(model, opening())) as stream:
            usage = stream.get_final_message().usage
        assert usage.cache_read_input_tokens == 4000
        assert (usage.cache_creation_input_tokens or 0) == written
        assert usage.input_tokens == 1000 - written


@pytest.mark.parametrize("path", ["/", "/api/event_logging/batch", "/v1/oauth/hello"])
def test_what_else_it_asks_for_is_refused_plainly(place: Place, path: str) -> None:
    answer = place.gateway.post(path, {}, authorization=f"Bearer {place.key}")
    assert answer.status == 404
    assert answer.error["message"]
    assert json.loads(answer.body)
