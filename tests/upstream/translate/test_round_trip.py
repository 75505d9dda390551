"""A request that goes to the other dialect and back says what it said."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.upstream.translate import chat_to_messages, messages_to_chat, strip_state

CLAUDE = "claude-sonnet-4-5"
GPT = "gpt-4o"

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
inputs = st.dictionaries(
    names, st.none() | st.booleans() | st.integers(-9, 9) | texts | st.lists(texts, max_size=2), max_size=3
)
pictures = st.sampled_from(["https://example.org/a.png", "data:image/png;base64,AAAA", "data:image/webp;base64,BBBB"])


@st.composite
def chats(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A chat history: system messages, then turns of a user with text and pictures, and of an assistant with tools."""
    history = [
        {"role": draw(st.sampled_from(["system", "developer"])), "content": draw(texts)}
        for _ in range(draw(st.integers(0, 2)))
    ]
    for turn in range(draw(st.integers(1, 3))):
        said = [{"type": "text", "text": text} for text in draw(st.lists(texts, min_size=1, max_size=2))]
        said += [{"type": "image_url", "image_url": {"url": url}} for url in draw(st.lists(pictures, max_size=1))]
        history.append({"role": "user", "content": said})
        given_calls = draw(st.lists(st.tuples(names, inputs, texts), max_size=3))
        if given_calls:
            calls = [
                {
                    "id": f"call_{turn}_{at}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(value)},
                }
                for at, (name, value, _) in enumerate(given_calls)
            ]
            history.append({"role": "assistant", "content": draw(st.none() | texts), "tool_calls": calls})
            history += [
                {"role": "tool", "tool_call_id": call["id"], "content": result}
                for call, (_, _, result) in zip(calls, given_calls, strict=True)
            ]
        history.append({"role": "assistant", "content": draw(texts)})
    return [*history, {"role": "user", "content": draw(texts)}]


def meaning(history: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a chat history says, apart from how it is cut into messages and parts."""
    said: list[tuple[Any, ...]] = []
    for message in history:
        role = {"developer": "system"}.get(message["role"], message["role"])
        content = message.get("content") or []
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if role == "tool":
            said.append(("result", message["tool_call_id"], content))
            continue
        said += [(role, part.get("text") or part["image_url"]["url"]) for part in parts]
        for call in message.get("tool_calls", []):
            said.append(("call", call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])))
    system = "\n\n".join(one[1] for one in said if one[0] == "system")
    return [("system", system), *(one for one in said if one[0] != "system")]


@settings(max_examples=40)
@given(chats())
def test_chat_to_messages_and_back(history: list[dict[str, Any]]) -> None:
    there = chat_to_messages({"messages": history}, CLAUDE)
    assert meaning(messages_to_chat(there, GPT)["messages"]) == meaning(history)


@settings(max_examples=40)
@given(chats())
def test_messages_to_chat_and_back(history: list[dict[str, Any]]) -> None:
    message = chat_to_messages({"messages": history}, CLAUDE)
    once = chat_to_messages(messages_to_chat(message, GPT), CLAUDE)
    assert once["messages"] == message["messages"]
    twice = chat_to_messages(messages_to_chat(once, GPT), CLAUDE)
    assert twice == once


@settings(max_examples=40)
@given(chats())
def test_stripping_and_translating_may_change_places(history: list[dict[str, Any]]) -> None:
    body = {"messages": history}
    assert strip_state(chat_to_messages(body, CLAUDE)) == chat_to_messages(strip_state(body), CLAUDE)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "max_tokens": st.integers(1, 9999),
            "temperature": st.floats(0, 1),
            "stop": st.lists(texts, min_size=1, max_size=4),
            "tool_choice": st.sampled_from(
                ["auto", "none", "required", {"type": "function", "function": {"name": "f"}}]
            ),
            "user": names,
            "stream": st.just(True),
        },
    )
)
def test_dials_there_and_back(dials: dict[str, Any]) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    body = {"messages": [{"role": "user", "content": "x"}], "tools": tools, **dials}
    back = messages_to_chat(chat_to_messages(body, CLAUDE), "mistral-large")
    assert back["tools"] == tools
    assert {key: back[key] for key in dials} == dials
