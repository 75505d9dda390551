"""LiteLLM as a caller: its openai and its anthropic route pointed at the gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from tenbin.testing import Answer
from tests.gateway.clients.conftest import Place
from tests.gateway.running import HARD

pytestmark = pytest.mark.extra
ASKED = [{"role": "user", "content": HARD}]
ROUTES = pytest.mark.parametrize("route", ["openai", "anthropic"])
NEEDS_MCP = pytest.mark.skipif(find_spec("mcp") is None, reason="LiteLLM's own tools need the package mcp")
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"town": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is fetched
        yield pytest.importorskip("litellm")


def told(place: Place, route: str, model: str = "tenbin/auto", **fields: Any) -> dict[str, Any]:
    """The arguments of a call: the openai route wants the address with /v1, the anthropic one without."""
    base = place.base_url if route == "openai" else place.origin
    return {
        "model": f"{route}/{model}",
        "base_url": base,
        "api_key": place.key,
        "messages": ASKED,
        "max_retries": 0,
        **fields,
    }


@ROUTES
@pytest.mark.parametrize("model", ["tenbin/auto", "claude", "good"])
def test_completion(litellm: Any, place: Place, route: str, model: str) -> None:
    answer = litellm.completion(**told(place, route, model))
    assert answer.choices[0].message.content.endswith(HARD)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 5
    header = answer._hidden_params["additional_headers"]["llm_provider-x-tenbin-model"]
    assert header == ("good" if model == "tenbin/auto" else model)


@ROUTES
@pytest.mark.parametrize("model", ["claude", "good"])
def test_streams(litellm: Any, place: Place, route: str, model: str) -> None:
    async def streamed() -> str:
        stream = await litellm.acompletion(**told(place, route, model, stream=True))
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(streamed()).endswith(HARD)
    chunks = list(litellm.completion(**told(place, route, model, stream=True)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).endswith(HARD)
    assert chunks[-1].choices[0].finish_reason == "stop"


@NEEDS_MCP
@ROUTES
@pytest.mark.parametrize("model", ["claude", "good"])
def test_tools_and_back(litellm: Any, place: Place, route: str, model: str) -> None:
    choice = {"type": "function", "function": {"name": "weather"}}
    first = litellm.completion(**told(place, route, model, tools=[WEATHER], tool_choice=choice))
    (call,) = first.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"town": "text"}
    reply = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    history = [*ASKED, first.choices[0].message.model_dump(exclude_none=True), reply]
    second = litellm.completion(**told(place, route, model, messages=history, tools=[WEATHER]))
    assert second.choices[0].message.content.endswith("sunny")


@NEEDS_MCP
def test_the_messages_and_the_responses_of_litellm(litellm: Any, place: Place) -> None:
    arguments = {**told(place, "anthropic"), "max_tokens": 50}
    arguments["api_base"] = arguments.pop("base_url")
    arguments.pop("max_retries")
    message = asyncio.run(litellm.anthropic.messages.acreate(**arguments))
    assert message["content"][0]["text"].endswith(HARD)
    answer = litellm.responses(model="openai/tenbin/auto", input=HARD, api_base=place.base_url, api_key=place.key)
    assert answer.output[0].content[0].text.endswith(HARD)


def test_dials_and_embeddings(litellm: Any, place: Place) -> None:
    body = {"tenbin": {"allow": ["cheap"]}}
    answer = litellm.completion(**told(place, "openai", extra_body=body))
    assert answer.model == "gpt-5-mini"
    head = {"x-tenbin-allow": "cheap"}
    answer = litellm.completion(**told(place, "anthropic", extra_headers=head))
    assert answer.model == "gpt-5-mini"
    made = litellm.embedding(model="openai/vectors", input=["one"], api_base=place.base_url, api_key=place.key)
    assert len(made.data[0]["embedding"]) > 1


@ROUTES
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer.context_length_exceeded(), "ContextWindowExceededError"),
        (Answer.error(429), "RateLimitError"),
        (Answer.error(500), "InternalServerError"),
    ],
)
def test_errors(litellm: Any, place: Place, route: str, answer: Answer, kind: str) -> None:
    for model in ("claude", "good"):
        place[model].script = answer
        with pytest.raises(getattr(litellm, kind)):
            litellm.completion(**told(place, route, model))
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(**told(place, route, api_key="tb-wrong"))
