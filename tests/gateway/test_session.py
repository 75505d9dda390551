"""Conversations: a follow-up finds its earlier turn however the client writes it; what lies in a cache, how long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.gateway.session import (
    MAX_EARLIER,
    MIN_CACHED_TOKENS,
    PROMPT_CACHE_S,
    REMEMBERED_S,
    Fingerprints,
    Session,
    Sessions,
    cached_tokens,
    fingerprints,
)

SYSTEM = {"role": "system", "content": "Be brief."}
FIRST = {"role": "user", "content": "What weighs more?"}
ANSWER = {"role": "assistant", "content": "Lead."}
NEXT = {"role": "user", "content": "Why?"}
ANSWER_A = {"role": "assistant", "content": "a"}
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {"what": "lead", "unit": "kg", "note": None}}
TEXTS = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": TEXTS | st.just(None)},
        optional={"name": TEXTS, "tool_call_id": TEXTS},
    ),
    min_size=1,
    max_size=12,
)


def test_the_next_turn_finds_the_one_before() -> None:
    first = fingerprints([SYSTEM, FIRST])
    second = fingerprints([SYSTEM, FIRST, ANSWER, NEXT])
    assert first.own == second.earlier[1]
    assert second.own not in second.earlier


def test_in_anthropics_shape_with_tools_and_a_moving_cache_mark() -> None:
    def system(text: str, marked: bool = False) -> dict[str, Any]:
        part = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
        return {"role": "system", "content": [part] if marked else text}

    def user(text: str, marked: bool) -> dict[str, Any]:
        mark = {"cache_control": {"type": "ephemeral"}} if marked else {}
        return {"role": "user", "content": [{"type": "text", "text": text, **mark}]}

    thinking = {"type": "thinking", "thinking": "hm", "signature": "abc"}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "11 kg"}]}
    first = fingerprints([system("Be brief.", True), user("Weigh it.", True)])
    tools = {"role": "assistant", "content": [thinking, TOOL_USE]}
    results = {"role": "user", "content": [result]}
    second = fingerprints([system("Be brief."), user("Weigh it.", False), tools, results])
    bare = {"role": "assistant", "content": [{**TOOL_USE, "cache_control": {"type": "ephemeral"}}]}
    plain = {"role": "user", "content": [{**result, "content": "11 kg"}]}
    third = fingerprints([system("Be brief."), user("Weigh it.", False), bare, plain, ANSWER, NEXT])
    assert first.own in second.earlier
    assert second.own in third.earlier
    assert fingerprints([system("Be long."), user("Weigh it.", False)]).own not in second.earlier


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"role": "user", "content": "a"}, {"content": "a", "role": "user"}),
        ({"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "a"}]}),
        ({"role": "user", "content": "a"}, {"role": "user", "content": [{"text": "a", "type": "input_text"}]}),
        ({"role": "user", "content": "a"}, {"role": "user", "content": "a", "name": None, "refusal": None}),
        (
            {"role": "user", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "user", "tool_calls": [{"id": "1", "x": None}]},
        ),
        ({"role": "assistant", "content": ""}, {"role": "assistant", "content": []}),
        ({"role": "user", "content": "a"}, {"role": "user", "content": "a", "annotations": [], "tool_calls": []}),
        ({"role": "user", "content": [{"type": "x", "n": 1}]}, {"role": "user", "content": [{"n": 1.0, "type": "x"}]}),
        *(
            ({"role": "assistant", "content": [{"type": kind, "x": 1}, {"type": "output_text", "text": "a"}]}, ANSWER_A)
            for kind in ("thinking", "redacted_thinking", "reasoning")
        ),
    ],
)
def test_the_same_said_otherwise_is_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprints([one]).own == fingerprints([other]).own


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"role": "user", "content": "a"}], [{"role": "system", "content": "a"}]),
        ([{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]),
        ([{"role": "user", "content": "ab"}], [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]),
        ([{"role": "user", "content": ["ab"]}], [{"role": "user", "content": ["a", "b"]}]),
        ([{"role": "user", "content": [1]}], [{"role": "user", "content": ["1"]}]),
        ([{"role": "tool", "tool_call_id": "1"}], [{"role": "tool", "tool_call_id": "2"}]),
        ([{"role": "user", "name": "a"}], [{"role": "user", "name": "b"}]),
        ([{"role": "user", "tool_calls": ["a"]}], [{"role": "user", "function_call": ["a"]}]),
        ([{"role": "user", "function_call": ["a"]}], [{"role": "user", "function_call": ["b"]}]),
        (["a"], ["b"]),
        ([{"role": "user", "content": [True]}], [{"role": "user", "content": [1]}]),
        *(
            ([{"role": "user", "content": [one]}], [{"role": "user", "content": [other]}])
            for one, other in (
                (1.5, 1),
                ({"type": "x", "a": 1}, {"type": "x", "b": 1}),
                ({"type": "x", "text": "a", "n": 1}, {"type": "x", "text": "a", "n": 2}),
                ({"type": "tool_result", "content": "1"}, {"type": "tool_result", "content": "2"}),
                ({"type": "tool_result", "tool_use_id": "1"}, {"type": "tool_result", "tool_use_id": "2"}),
            )
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:a"}}]}],
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:b"}}]}],
        ),
    ],
)
def test_what_differs_differs(one: list[Any], other: list[Any]) -> None:
    assert fingerprints(one).own != fingerprints(other).own


def test_the_note_of_claude_code_that_is_new_each_time_changes_nothing() -> None:
    def turn(number: str, *messages: Any, more: str = "") -> Fingerprints:
        note = {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1; cch={number};{more}"}
        return fingerprints([{"role": "system", "content": [note, {"type": "text", "text": "Be brief."}]}, *messages])

    assert turn("6d2a1", FIRST).own in turn("0b81f", FIRST, ANSWER, NEXT).earlier
    assert turn("1", FIRST).own != turn("1", FIRST, more="\nAnother prompt.").own


def test_scopes_and_systems_do_not_meet() -> None:
    owns = {
        fingerprints([FIRST]).own,
        fingerprints([FIRST], scope="key1/auto").own,
        fingerprints([FIRST], scope="key2/auto").own,
        fingerprints([SYSTEM, FIRST]).own,
    }
    assert len(owns) == 4


@given(MESSAGES, MESSAGES, st.text(max_size=5))
def test_every_beginning_is_found_newest_first(before: list[Any], after: list[Any], scope: str) -> None:
    whole = fingerprints(before + after, scope=scope)
    assert whole.earlier[len(after) - 1] == fingerprints(before, scope=scope).own
    assert len(whole.earlier) == len(before) + len(after) - 1


@given(MESSAGES)
def test_writing_it_again_changes_nothing(messages: list[Any]) -> None:
    again = json.loads(json.dumps(messages, sort_keys=True))
    parts = [
        {**m, "content": [{"type": "text", "text": m["content"]}] if m["content"] else None, "audio": None}
        for m in messages
    ]
    assert fingerprints(again) == fingerprints(messages) == fingerprints(parts)


@given(st.lists(JSON, max_size=6))
def test_any_json_has_a_fingerprint(messages: list[Any]) -> None:
    assert len(fingerprints(messages).own) == 24


def test_so_have_the_deepest_and_a_broken_letter() -> None:
    nested: Any = "x"
    for _ in range(3000):
        nested = [{"content": nested}]
    deep, broken = ([{"role": "user", "content": content}] for content in (nested, "\ud800"))
    assert len({fingerprints(messages).own for messages in (deep, broken, [])}) == 3


def test_the_earlier_ones_are_bounded() -> None:
    messages = [{"role": "user", "content": str(i)} for i in range(200)]
    prints = fingerprints(messages)
    assert len(prints.earlier) == MAX_EARLIER
    assert prints.earlier[0] == fingerprints(messages[:-1]).own
    assert prints.earlier[-1] == fingerprints(messages[:-MAX_EARLIER]).own


def test_a_session_is_found_by_its_next_turn_and_by_itself() -> None:
    sessions = Sessions()
    first = fingerprints([SYSTEM, FIRST])
    assert not sessions.has_answered(first)
    sessions.remember(first, Session("big", 2000, 10.0))
    assert sessions.has_answered(first)
    assert sessions.find(first, 11.0) == Session("big", 2000, 10.0)
    second = fingerprints([SYSTEM, FIRST, ANSWER, NEXT])
    assert sessions.find(second, 11.0) == Session("big", 2000, 10.0)
    sessions.remember(second, Session("small", 2100, 12.0))
    assert sessions.find(fingerprints([SYSTEM, FIRST, ANSWER, NEXT, ANSWER, NEXT]), 13.0) == Session(
        "small", 2100, 12.0
    )
    assert sessions.find(fingerprints([SYSTEM, NEXT]), 13.0) is None


def test_one_answer_since_then_is_that_ones() -> None:
    session = Session("m", 1, 0.0, length=2)
    told = {"role": "tool", "tool_call_id": "t1", "content": "5"}
    assert session.wrote_last([SYSTEM, FIRST])
    assert session.wrote_last([SYSTEM, FIRST, ANSWER, ANSWER, told, told, NEXT])
    assert not session.wrote_last([SYSTEM, FIRST, ANSWER, NEXT, ANSWER, NEXT])
    assert not session.wrote_last([SYSTEM, FIRST, ANSWER, told, ANSWER, told])


def test_sessions_are_bounded_and_forget_the_longest_unused() -> None:
    sessions = Sessions(limit=2)
    a, b, c = (Fingerprints(name, ()) for name in "abc")
    sessions.remember(a, Session("m", 1, 0.0))
    sessions.remember(b, Session("m", 1, 0.0))
    assert sessions.find(a, 0.0) is not None
    sessions.remember(c, Session("m", 1, 0.0))
    assert len(sessions) == 2
    assert [sessions.find(x, 0.0) is None for x in (a, b, c)] == [False, True, False]


@pytest.mark.parametrize("later", [REMEMBERED_S, 1e9, -1.0])
def test_old_sessions_are_forgotten(later: float) -> None:
    sessions = Sessions()
    prints = Fingerprints("a", ())
    sessions.remember(prints, Session("m", 1, 100.0))
    assert sessions.find(prints, 100.0 + REMEMBERED_S - 1.0) is not None
    assert sessions.find(prints, 100.0 + later) is None
    assert len(sessions) == 0


def test_the_prompt_cache_runs_out() -> None:
    session = Session("m", 5000, 100.0)
    assert cached_tokens(session, 100.0) == 5000
    assert cached_tokens(session, 100.0 + PROMPT_CACHE_S - 0.1) == 5000
    assert cached_tokens(session, 100.0 + PROMPT_CACHE_S) == 0
    assert cached_tokens(session, 99.0) == 0
    assert cached_tokens(Session("m", MIN_CACHED_TOKENS, 100.0), 100.0) == MIN_CACHED_TOKENS
    assert cached_tokens(Session("m", MIN_CACHED_TOKENS - 1, 100.0), 100.0) == 0
