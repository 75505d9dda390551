"""A prompt said to candidates of both dialects, whichever it was written in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.run.said import say
from tenbin.testing import FakeUpstream
from tenbin.types import Candidate, Message
from tenbin.upstream.destination import Destination, Dialect
from tests.pilot.run.made import bought, failures, made, run

PICTURE = {"type": "image", "source": {"type": "url", "url": "https://pictures.example/a.png"}}
ANTHROPIC: tuple[Message, ...] = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "a cat"}]},
)


def to(dialect: Dialect, model: str, **more: Any) -> Destination:
    return Destination(Candidate("m", model=model, **more), dialect, "http://127.0.0.1:1")


def said(prompt: PilotPrompt, destination: Destination) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(say(prompt, destination).body)
    return body


def test_the_cap_and_the_effort_are_said_as_each_model_takes_them() -> None:
    prompt = PilotPrompt("q", "Why?")
    old = said(prompt, to("openai", "mistral-large"))
    assert (old["max_tokens"], old["messages"]) == (4096, [{"role": "user", "content": "Why?"}])
    new = said(prompt, to("openai", "o3-mini", reasoning_effort="high", max_output_tokens=900))
    assert (new["max_completion_tokens"], new["reasoning_effort"], "max_tokens" in new) == (900, "high", False)
    thinker = said(prompt, to("anthropic", "claude-sonnet-4-5", reasoning_effort="low", max_output_tokens=9000))
    assert (thinker["max_tokens"], thinker["thinking"]["type"], thinker["stream"]) == (9000, "enabled", True)


def test_anthropics_turns_are_said_as_they_are_and_translated_for_others() -> None:
    prompt = PilotPrompt("q", messages=ANTHROPIC)
    own = said(prompt, to("anthropic", "claude-sonnet-4-5"))
    assert own["system"] == "Be brief."
    assert own["messages"] == list(ANTHROPIC[1:])
    for model, effort in (("claude-sonnet-4-5", None), ("claude-opus-4-6", "high"), ("look-alike", "xhigh")):
        asked = said(prompt, to("anthropic", model, reasoning_effort="xhigh")).get("output_config")
        assert asked == (effort and {"effort": effort})
    other = said(prompt, to("openai", "gpt-4.1"))
    assert [message["role"] for message in other["messages"]] == ["system", "user", "assistant", "tool"]
    assert other["messages"][1]["content"][1]["image_url"]["url"] == "https://pictures.example/a.png"
    assert (other["stream_options"], other["max_completion_tokens"]) == ({"include_usage": True}, 4096)


def test_what_a_dialect_has_no_words_for_is_given_up_without_a_call(tmp_path: Path) -> None:
    sound: Message = {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}],
    }
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=[PilotPrompt("q", messages=(sound,))], models=("big", "claude"))
        report = run(pilot)
        assert upstream.received_count == 1
    assert [it.model for it in bought(pilot)] == ["big"]
    assert [(it.model, it.kind, it.is_final, it.cost_usd) for it in failures(pilot)] == [
        ("claude", "capability", True, 0.0)
    ]
    assert (report.ended, report.candidates[1].given_up) == ("done", 1)
