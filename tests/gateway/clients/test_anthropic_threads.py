"""anthropic-python's loop of tools, which lets the server hold the conversation (`thread`) wherever it can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tenbin.testing import Answer, UpstreamRequest
from tests.gateway.clients.conftest import Place
from tests.gateway.clients.package import Package
from tests.gateway.running import HARD

pytestmark = pytest.mark.extra
anthropic = Package("anthropic")
TURNS = 3


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=place.origin, api_key=place.key, max_retries=0) as made:
        yield made


def called_by_claude(turn: int) -> Answer:
    """A call of the tool, which a request that goes on does not bring: it is held with the rest."""
    call = {"type": "tool_use", "id": f"toolu_{turn}", "name": "weather", "input": {}}
    usage = {"input_tokens": 9, "output_tokens": 9}
    message = {"id": f"msg_{turn}", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None}
    return Answer(body=json.dumps({**message, "content": [call], "stop_reason": "tool_use", "usage": usage}).encode())


def called_by_gpt(turn: int) -> Answer:
    call = {"id": f"call_{turn}", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    choice = {"index": 0, "message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 9, "completion_tokens": 9}
    return Answer(body=json.dumps({"id": f"chatcmpl-{turn}", "choices": [choice], "usage": usage}).encode())


def looped(client: Any, place: Place, model: str) -> tuple[Any, list[UpstreamRequest]]:
    """The last message of a loop that calls a tool twice, and what its upstreams were asked."""

    @anthropic.beta_tool
    def weather(city: str = "Rome", days: int = 1) -> str:
        """The weather of a city."""
        return f"sunny in {city} for {days}"

    for name, called in (("claude", called_by_claude), ("good", called_by_gpt)):
        place[name].script = [*map(called, range(1, TURNS)), Answer(text="Sunny.")]
    asked = [{"role": "user", "content": HARD}]
    runner = client.beta.messages.tool_runner(model=model, max_tokens=99, messages=asked, tools=[weather])
    return runner.until_done(), [*place["claude"].requests, *place["good"].requests]


def test_who_holds_the_conversation_is_sent_what_is_new(client: Any, place: Place) -> None:
    message, asked = looped(client, place, "claude")
    assert message.content[0].text == "Sunny."
    bodies = [request.json for request in asked]
    assert [body["thread"]["type"] for body in bodies] == ["create", *["continue"] * (TURNS - 1)]
    assert [len(body["messages"]) for body in bodies] == [1] * TURNS
    assert all("message-threads" in request.headers["anthropic-beta"] for request in asked)


@pytest.mark.parametrize("model", ["good", "tenbin/auto"])
def test_who_cannot_hold_it_is_sent_all_of_it(client: Any, place: Place, model: str) -> None:
    message, asked = looped(client, place, model)
    assert message.content[0].text == "Sunny."
    assert place.upstreams.called() == ["good"] * TURNS
    assert [len(request.json["messages"]) for request in asked] == [1, 3, 5]
    assert all("thread" not in request.json for request in asked)
