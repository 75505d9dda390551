"""What binds a conversation of /v1/responses, of which nothing can be left out."""

from __future__ import annotations

import json

import pytest

from tenbin.gateway.bond import bond_of
from tenbin.gateway.incoming import read_responses
from tenbin.gateway.session import Session
from tenbin.types import Candidate
from tenbin.upstream.destination import Destination

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
