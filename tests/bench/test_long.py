"""The long conversation is as long as it says and never the same twice."""

from __future__ import annotations

import json
import random

from bench.long import conversation


def test_a_conversation_has_its_tokens_in_turns() -> None:
    rng = random.Random(1)  # noqa: S311
    bodies = [conversation(20_000, ["A sentence of a prompt.", "Another one, a little longer."], rng) for _ in range(2)]
    turns = json.loads(bodies[0])["messages"]
    characters = sum(len(turn["content"]) for turn in turns)
    assert 80_000 <= characters <= 90_000
    assert [turn["role"] for turn in turns[:3]] == ["user", "assistant", "user"]
    assert turns[-1]["role"] == "user"
    assert bodies[0] != bodies[1]
