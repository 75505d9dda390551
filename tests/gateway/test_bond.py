"""What binds a conversation of /v1/responses, of which nothing can be left out."""

from __future__ import annotations

import json

import pytest

from tenbin.gateway.bond import bond_of
from tenbin.gateway.incoming import read_chat, read_responses
from tenbin.gateway.session import Session
from tenbin.types import Candidate
from tenbin.upstream.destination import Destination
from tenbin.upstream.translate import chat_to_messages, strip_state, untranslatable

PROVIDERS = {"a": "openai", "b": "openai", "c": "xai"}
CANDIDATES = {
    name: Destination(Candidate(name, provider=provider), "openai", "http://x", speaks_responses=True)
    for name, provider in PROVIDERS.items()
}
ASKED = {"role": "user", "content": "Why?"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So."}]}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "5"}


@pytest.mark.parametrize(
    ("items", "free"),
    [
        ([ASKED, SAID, ASKED], "abc"),
        ([ASKED, REASONING, SAID, ASKED], "ab"),
        ([ASKED, REASONING, CALL, RESULT], "a"),
        ([ASKED, REASONING, SAID, REASONING, CALL, RESULT], "a"),
    ],
)
def test_encrypted_reasoning_goes_to_no_other_family(items: list[object], free: str) -> None:
    incoming = read_responses(json.dumps({"model": "auto", "instructions": "Be kind.", "input": items}).encode())
    bond = bond_of(incoming, Session("a", 10, 0.0, length=2), CANDIDATES)
    bars = bond.bars(list(CANDIDATES.values()), [None] * 3)
    assert "".join(name for name, bar in zip(CANDIDATES, bars, strict=True) if bar is None) == free
    assert [bond.strips_before(destination) for destination in CANDIDATES.values()] == [0, 0, 0]
    unknown = bond_of(incoming, None, CANDIDATES)
    assert None in unknown.bars(list(CANDIDATES.values()), [None] * 3)


SIGNED_CALL: dict[str, object] = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNED_CALL["extra_content"] = {"google": {"thought_signature": "abc"}}
TOLD = {"role": "tool", "tool_call_id": "c1", "content": "5"}
BOTH = {
    "gemini": Destination(Candidate("gemini"), "openai", "http://x"),
    "claude": Destination(Candidate("claude"), "anthropic", "http://x"),
}


def test_state_of_an_open_loop_in_openais_dialect_is_none_of_anthropics() -> None:
    body = {"model": "auto", "messages": [ASKED, {"role": "assistant", "tool_calls": [SIGNED_CALL]}, TOLD]}
    bond = bond_of(read_chat(json.dumps(body).encode()), None, BOTH)
    assert [bar is None for bar in bond.bars(list(BOTH.values()), [None] * 2)] == [True, False]
    assert [bond.strips_before(destination) for destination in BOTH.values()] == [0, 3]


def test_plain_reasoning_is_shown_to_who_wrote_it_and_binds_to_nobody() -> None:
    thought = {"role": "assistant", "content": "So.", "reasoning_content": "hm"}
    turn = read_chat(json.dumps({"model": "auto", "messages": [ASKED, thought, ASKED]}).encode())
    unknown, known = bond_of(turn, None, BOTH), bond_of(turn, Session("gemini", 10, 0.0, length=1), BOTH)
    assert [unknown.strips_before(destination) for destination in BOTH.values()] == [3, 3]
    assert [known.strips_before(destination) for destination in BOTH.values()] == [0, 3]
    opened = {"role": "assistant", "reasoning_content": "hm", "tool_calls": [SIGNED_CALL | {"extra_content": None}]}
    loop = bond_of(read_chat(json.dumps({"model": "auto", "messages": [ASKED, opened, TOLD]}).encode()), None, BOTH)
    assert loop.bars(list(BOTH.values()), [None] * 2) == [None, None]
    assert loop.strips_before(BOTH["gemini"]) == 0


def test_thinking_that_mistral_writes_into_a_content_is_shown_to_nobody_else() -> None:
    """Each other provider of OpenAI's dialect refused the whole request for it."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    answer = {"role": "assistant", "content": [thought, {"type": "text", "text": "So."}]}
    body = {"model": "auto", "messages": [ASKED, answer, ASKED]}
    incoming = read_chat(json.dumps(body).encode())
    bond = bond_of(incoming, Session("gemini", 10, 0.0, length=1), BOTH)
    assert [bond.strips_before(destination) for destination in BOTH.values()] == [0, 3]
    assert strip_state(body)["messages"][1]["content"] == [{"type": "text", "text": "So."}]
    assert untranslatable(body, "openai", "anthropic", "claude") is None
    said = [{"type": "text", "text": "So."}]
    assert chat_to_messages(body, "claude")["messages"][1] == {"role": "assistant", "content": said}
