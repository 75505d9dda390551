"""Follow-up turns: the prompt cache is weighed against the gain, and no model reads another one's thinking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenbin.gateway.incoming import read_anthropic
from tenbin.gateway.wire import Wire
from tenbin.testing import Answer
from tenbin.types import Usage
from tests.gateway.running import Reply, Running, Upstreams

LONG, SHORT = 5_000, 500
BOOK = """
[models.cheap]
input_usd_per_mtok = 1.0
output_usd_per_mtok = 1.0
[models.good]
input_usd_per_mtok = 10.0
cached_input_usd_per_mtok = {cached}
output_usd_per_mtok = 1.0
[models.claude_a]
input_usd_per_mtok = 20.0
output_usd_per_mtok = 1.0
[models.claude_b]
input_usd_per_mtok = 20.0
output_usd_per_mtok = 1.0
"""
SIGNATURE = "c2lnbmF0dXJlLW9mLWNsYXVkZS1h"
THINKING = {"type": "thinking", "thinking": "a private thought", "signature": SIGNATURE}
USE = {"type": "tool_use", "id": "toolu_01abc", "name": "look", "input": {"at": "it"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_01abc", "content": "seen"}
TOOLS = [{"name": "look", "description": "Look.", "input_schema": {"type": "object", "properties": {}}}]
QUESTION, ANSWER, NEXT = "What is heavier?", "They weigh the same.", "And why?"


def settings(folder: Path) -> dict[str, str]:
    return {"profile": "mu = 1.0", "gateway": f'keys = "open"\nprices = "{folder / "prices.toml"}"'}


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Upstreams]]:
    folder: Path = tmp_path_factory.mktemp("conversations")
    book = folder / "prices.toml"
    book.write_text(BOOK.format(cached=0.1), encoding="utf-8")
    # Only dollars count here, so that the figures of the book alone say who is chosen.
    with (
        Upstreams("cheap", "good", claude_a="anthropic", claude_b="anthropic") as ups,
        Running(folder, ups, **settings(folder)) as gateway,
    ):
        yield gateway, ups


@pytest.fixture
def served(module_served: tuple[Running, Upstreams]) -> tuple[Running, Upstreams]:
    gateway, ups = module_served
    for fake in ups.fakes.values():
        fake.script = ()
        fake.clear()
    gateway.gateway.services.sessions.__init__()  # type: ignore[misc]
    return gateway, ups


def priced(gateway: Running, cached: float) -> None:
    """Cached input of `good` costs so many dollars per million tokens from here on."""
    (gateway.folder / "prices.toml").write_text(BOOK.format(cached=cached), encoding="utf-8")
    gateway.gateway.reload()


def second_turn(
    gateway: Running, ups: Upstreams, tokens: int, there: Running | None = None, question: str = NEXT
) -> Reply:
    """The second turn, there or here, of a conversation whose first one `good` has answered here."""
    first_byte_s = 0.0 if there is None else 0.4  # as long as the quickest models take
    ups["good"].script = Answer(usage=Usage(tokens, 20), first_byte_s=first_byte_s)
    messages = [{"role": "user", "content": "word " * tokens}]
    first = gateway.chat(messages=messages, tenbin={"allow": ["good"]})
    assert first.headers["x-tenbin-model"] == "good"
    said = first.json["choices"][0]["message"]["content"]
    messages += [{"role": "assistant", "content": said}, {"role": "user", "content": question}]
    return (there or gateway).chat(messages=messages)


@pytest.mark.parametrize(
    ("cached", "tokens", "model"),
    [(0.1, LONG, "good"), (5.0, LONG, "cheap"), (0.1, SHORT, "cheap")],
    ids=["the cache outweighs", "the gain outweighs", "too short to be cached"],
)
def test_a_turn_stays_where_its_prompt_is_cached_unless_moving_pays(
    served: tuple[Running, Upstreams], cached: float, tokens: int, model: str
) -> None:
    gateway, ups = served
    priced(gateway, cached)
    assert second_turn(gateway, ups, tokens).headers["x-tenbin-model"] == model


def test_another_conversation_knows_nothing_of_the_cache(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    priced(gateway, 0.1)
    assert second_turn(gateway, ups, LONG).headers["x-tenbin-model"] == "good"
    stranger = [{"role": "user", "content": "other " * LONG}, {"role": "assistant", "content": "Yes."}]
    assert gateway.chat(messages=[*stranger, {"role": "user", "content": NEXT}]).headers["x-tenbin-model"] == "cheap"


def turn(gateway: Running, messages: list[Any], *allow: str) -> Reply:
    """One turn in Anthropic's dialect, for these candidates (none named: any)."""
    body = {"model": "tenbin/auto", "max_tokens": 100, "messages": messages, "tools": TOOLS}
    if allow:
        body["tenbin"] = {"allow": list(allow)}
    answer = gateway.post("/v1/messages", body)
    assert answer.status == 200, answer.body
    return answer


def begun(gateway: Running, *content: Any, question: str = QUESTION) -> list[Any]:
    """A conversation whose first turn `claude_a` has answered, as its client sends it back."""
    asked = {"role": "user", "content": question}
    assert turn(gateway, [asked], "claude_a").headers["x-tenbin-model"] == "claude_a"
    return [asked, {"role": "assistant", "content": [THINKING, *content]}]


def test_thinking_goes_back_to_its_author_as_it_was(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    messages = [*begun(gateway, {"type": "text", "text": ANSWER}), {"role": "user", "content": NEXT}]
    answer = turn(gateway, messages, "claude_a")
    sent = ups["claude_a"].requests[-1].json
    assert sent["messages"] == messages
    assert "tenbin" not in sent
    assert "left out" not in answer.headers["x-tenbin-reason"]


@pytest.mark.parametrize("other", ["claude_b", "good"])
def test_thinking_reaches_no_other_model_and_the_reason_says_so(served: tuple[Running, Upstreams], other: str) -> None:
    gateway, ups = served
    messages = [*begun(gateway, {"type": "text", "text": ANSWER}), {"role": "user", "content": NEXT}]
    answer = turn(gateway, messages, other)
    assert answer.headers["x-tenbin-model"] == other
    assert "thinking of claude_a left out" in answer.headers["x-tenbin-reason"]
    sent = ups[other].requests[-1].body.decode()
    assert SIGNATURE not in sent
    assert THINKING["thinking"] not in sent
    assert ANSWER in sent
    assert NEXT in sent


def test_a_failover_strips_what_the_next_model_cannot_read(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    messages = [*begun(gateway, {"type": "text", "text": ANSWER}), {"role": "user", "content": NEXT}]
    ups["claude_a"].script = Answer.error(529)
    answer = turn(gateway, messages, "claude_a", "claude_b")
    assert answer.headers["x-tenbin-model"] == "claude_b"
    assert SIGNATURE in ups["claude_a"].requests[-1].body.decode()
    assert SIGNATURE not in ups["claude_b"].requests[-1].body.decode()
    gateway.gateway.services.breakers.__init__()  # type: ignore[misc]


def test_an_open_tool_loop_stays_with_who_opened_it(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    messages = [*begun(gateway, USE), {"role": "user", "content": [RESULT]}]
    answer = turn(gateway, messages)  # any may answer, and `cheap` is by far the cheapest
    assert answer.headers["x-tenbin-model"] == "claude_a"
    assert SIGNATURE in ups["claude_a"].requests[-1].body.decode()
    shown = gateway.get(f"/v1/decisions/{answer.headers['x-tenbin-decision-id']}").json
    reasons = {c["model"]: c["reason"] for c in shown["candidates"] if c["model"] != "claude_a"}
    assert set(reasons.values()) == {"the open tool loop belongs to claude_a"}
    # Its author away, nobody else gets it.
    ups["claude_a"].script = Answer.error(503)
    body = {"model": "tenbin/auto", "max_tokens": 100, "messages": messages, "tools": TOOLS}
    assert gateway.post("/v1/messages", body).status == 503
    assert not ups["cheap"].requests
    assert not ups["claude_b"].requests
    gateway.gateway.services.breakers.__init__()  # type: ignore[misc]


def test_a_loop_whose_author_is_not_known_goes_to_no_other_family(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    question = {"role": "user", "content": QUESTION}
    messages = [question, {"role": "assistant", "content": [THINKING, USE]}, {"role": "user", "content": [RESULT]}]
    answer = turn(gateway, messages)
    assert answer.headers["x-tenbin-model"].startswith("claude")
    assert not ups["cheap"].requests
    assert not ups["good"].requests


def test_after_a_switch_no_turn_shows_the_new_model_what_another_one_thought(
    served: tuple[Running, Upstreams],
) -> None:
    gateway, ups = served
    own = {"type": "thinking", "thinking": "my own thought", "signature": "c2lnbmF0dXJlLW9mLWNsYXVkZS1i"}
    text = {"type": "text", "text": ANSWER}
    messages = [*begun(gateway, text), {"role": "user", "content": NEXT}]
    turn(gateway, messages, "claude_b")
    turn(gateway, messages, "claude_b")  # asked again: what it said itself last is not in there
    assert SIGNATURE not in ups["claude_b"].requests[-1].body.decode()
    for _ in range(2):
        messages += [{"role": "assistant", "content": [own, text]}, {"role": "user", "content": NEXT}]
        answer = turn(gateway, messages, "claude_b")
        sent = ups["claude_b"].requests[-1].json["messages"]
        assert sent[1]["content"] == [text]
        assert sent[2:] == messages[2:]
        assert "thinking of another model left out" in answer.headers["x-tenbin-reason"]
    turn(gateway, [*messages, {"role": "assistant", "content": [own, text]}, messages[0]], "claude_a")
    assert b'"thinking"' not in ups["claude_a"].requests[-1].body


def test_a_turn_that_is_asked_again_knows_whose_thinking_stands_before_it(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    messages = [*begun(gateway, {"type": "text", "text": ANSWER}), {"role": "user", "content": NEXT}]
    for _ in range(2):
        assert "thinking of claude_a left out" in turn(gateway, messages, "good").headers["x-tenbin-reason"]
    assert "left out" not in turn(gateway, messages, "claude_a").headers["x-tenbin-reason"]
    assert ups["claude_a"].requests[-1].json["messages"] == messages
    opened = [*begun(gateway, USE, question="Another one"), {"role": "user", "content": [RESULT]}]
    assert turn(gateway, opened, "good").headers["x-tenbin-model"] == "good"  # its author is not to be had
    assert turn(gateway, opened).headers["x-tenbin-model"] == "claude_a"
    assert ups["claude_a"].requests[-1].json["messages"] == opened


def test_turns_that_another_worker_had_are_not_taken_for_those_of_the_last_one_known(
    served: tuple[Running, Upstreams],
) -> None:
    gateway, ups = served
    text = {"type": "text", "text": ANSWER}
    messages = begun(gateway, text)
    elsewhere = {**THINKING, "signature": "c2lnbmF0dXJlLW9mLXNvbWVib2R5LWVsc2U="}
    messages += [{"role": "user", "content": NEXT}, {"role": "assistant", "content": [elsewhere, text]}]
    turn(gateway, [*messages, {"role": "user", "content": NEXT}], "claude_a")
    assert b'"thinking"' not in ups["claude_a"].requests[-1].body


@pytest.fixture
def other(served: tuple[Running, Upstreams]) -> Iterator[Running]:
    """Another worker of the same store."""
    gateway, ups = served
    priced(gateway, 0.1)
    with Running(gateway.folder, ups, **settings(gateway.folder)) as there:
        yield there


def test_a_turn_at_another_worker_goes_on_where_its_prompt_is_cached(
    served: tuple[Running, Upstreams], other: Running
) -> None:
    gateway, ups = served
    # At once, when the bill of the turn before is not in the ledger yet.
    assert second_turn(gateway, ups, LONG, other).headers["x-tenbin-model"] == "good"
    answer = second_turn(gateway, ups, SHORT, other, "word " * LONG)  # of which none is in the cache
    assert answer.headers["x-tenbin-model"] == "cheap"


def test_no_model_reads_what_another_one_thought_at_another_worker(
    served: tuple[Running, Upstreams], other: Running
) -> None:
    gateway, ups = served
    ups["claude_a"].script = Answer(first_byte_s=0.3)
    opened = [*begun(gateway, USE, question="A question of its own"), {"role": "user", "content": [RESULT]}]
    # At once, when the ledger does not know yet how the turn before ended; any may answer, `cheap` is the cheapest.
    assert turn(other, opened).headers["x-tenbin-model"] == "claude_a"
    own = {**THINKING, "signature": "c2lnbmF0dXJlLW9mLWNsYXVkZS1i"}
    text, question = {"type": "text", "text": ANSWER}, {"role": "user", "content": NEXT}
    messages = [*begun(gateway, text, question="Another one"), question]
    turn(gateway, messages, "claude_b")
    messages += [{"role": "assistant", "content": [own, text]}, question]
    gateway.calls()  # waits for the ledger
    turn(other, messages, "claude_b")
    sent = ups["claude_b"].requests[-1].json["messages"]
    assert sent[1]["content"] == [text]
    assert sent[2:] == messages[2:]


def test_an_open_tool_loop_goes_on_with_who_opened_it_after_a_restart(
    served: tuple[Running, Upstreams], tmp_path: Path
) -> None:
    gateway, ups = served
    for name in ("router", "prices.toml"):
        (tmp_path / name).symlink_to(gateway.folder / name)
    with Running(tmp_path, ups, **settings(tmp_path)) as before:
        messages = [*begun(before, USE), {"role": "user", "content": [RESULT]}]
    with Running(tmp_path, ups, **settings(tmp_path)) as after:
        assert turn(after, messages).headers["x-tenbin-model"] == "claude_a"


def test_thinking_without_a_signature_binds_to_nobody_and_reaches_no_claude(served: tuple[Running, Upstreams]) -> None:
    gateway, ups = served
    question, unsigned = {"role": "user", "content": QUESTION}, {**THINKING, "signature": ""}
    opened = {"role": "assistant", "content": [unsigned, USE]}
    messages = [question, opened, {"role": "user", "content": [RESULT]}]
    assert turn(gateway, messages).headers["x-tenbin-model"] == "cheap"  # by far the cheapest
    turn(gateway, messages, "claude_a")
    assert b'"thinking"' not in ups["claude_a"].requests[-1].body
    mixed = [question, {"role": "assistant", "content": [unsigned]}, question, *begun(gateway, USE)[1:], messages[2]]
    for named in ("claude_a", "tenbin/auto"):
        body = {"model": named, "max_tokens": 100, "messages": mixed, "tools": TOOLS}
        assert gateway.post("/v1/messages", body).headers["x-tenbin-model"].startswith("claude")
        (name,) = [name for name in ("claude_a", "claude_b") if ups[name].requests]
        sent = ups[name].requests[-1].json["messages"]
        assert sent == [question, question, {"role": "assistant", "content": [THINKING, USE]}, messages[2]]


def test_claude_does_not_go_on_thinking_in_a_loop_that_began_without(served: tuple[Running, Upstreams]) -> None:
    gateway, _ = served
    opened = {"role": "assistant", "content": [{**THINKING, "signature": ""}, USE]}
    messages = [{"role": "user", "content": QUESTION}, opened, {"role": "user", "content": [RESULT]}]
    edits = [{"type": "clear_thinking_20251015", "keep": "all"}, {"type": "clear_tool_uses_20250919"}]
    body = {"max_tokens": 2000, "messages": messages, "tools": TOOLS, "context_management": {"edits": edits}}
    thinks = {**body, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    destination = gateway.gateway.snapshot.destinations["claude_a"]
    for model, expected in (("claude-sonnet-4-5", {"edits": edits[1:]}), ("claude-opus-4-7", {"edits": edits})):
        candidate = replace(destination.candidate, model=model)
        wire = Wire(
            read_anthropic(json.dumps({"model": "auto", **thinks}).encode()), replace(destination, candidate=candidate)
        )
        sent = json.loads(wire.say(strips_before=0).body)
        assert sent["messages"][1]["content"] == [USE]
        assert sent["context_management"] == expected
        assert ("thinking" in sent) is (expected["edits"] == edits)
