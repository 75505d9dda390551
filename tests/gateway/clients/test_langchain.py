"""langchain-openai's ChatOpenAI against the gateway, routed and to a candidate of the other dialect."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.gateway.clients.conftest import Place
from tests.gateway.clients.package import Package
from tests.gateway.running import EASY, HARD

pytestmark = pytest.mark.extra
langchain_openai = Package("langchain_openai")
pydantic = Package("pydantic")
MODELS = pytest.mark.parametrize("model", ["tenbin/auto", "claude"])


def weather() -> Any:
    return pydantic.create_model("Weather", __doc__="The weather of a town.", town=(str, ...))


def verdict() -> Any:
    fields = {"holds": (bool, ...), "steps": (list[str], ...)}
    return pydantic.create_model("Verdict", __doc__="Whether the theorem holds.", **fields)


def chat(place: Place, model: str, **fields: Any) -> Any:
    return langchain_openai.ChatOpenAI(base_url=place.base_url, api_key=place.key, model=model, max_retries=0, **fields)


@MODELS
def test_invoke(place: Place, model: str) -> None:
    answer = chat(place, model).invoke(HARD)
    assert answer.content.endswith(HARD)
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["output_tokens"] > 5


@MODELS
def test_stream(place: Place, model: str) -> None:
    chunks = list(chat(place, model, stream_usage=True).stream(HARD))
    assert "".join(chunk.content for chunk in chunks).endswith(HARD)
    assert sum((chunk.usage_metadata or {}).get("output_tokens", 0) for chunk in chunks) > 5


def test_batch_and_async(place: Place) -> None:
    asked = [f"{EASY} 1", f"{HARD} 2", f"{EASY} 3"]
    assert [a.content.split()[0] for a in chat(place, "tenbin/auto").batch(asked)] == [
        "gpt-5-mini",
        "gpt-5",
        "gpt-5-mini",
    ]

    async def streamed() -> str:
        return "".join([chunk.content async for chunk in chat(place, "tenbin/auto").astream(HARD)])

    assert asyncio.run(streamed()).endswith(HARD)


@MODELS
def test_tools_and_back(place: Place, model: str) -> None:
    messages = pytest.importorskip("langchain_core.messages")
    bound = chat(place, model).bind_tools([weather()])
    asked = messages.HumanMessage("what is the weather in Kyoto")
    call = chat(place, model).bind_tools([weather()], tool_choice="Weather").invoke([asked])
    (made,) = call.tool_calls
    assert (made["name"], made["args"]) == ("Weather", {"town": "text"})
    result = messages.ToolMessage("sunny, 21 degrees", tool_call_id=made["id"])
    assert bound.invoke([asked, call, result]).content.endswith("sunny, 21 degrees")


@MODELS
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(place: Place, model: str, method: str) -> None:
    shape = verdict()
    asking = chat(place, model).with_structured_output(shape, method=method)
    assert asking.invoke(HARD) == shape(holds=True, steps=["text"])


def test_dials_and_what_was_decided(place: Place) -> None:
    asking = chat(place, "tenbin/auto", include_response_headers=True, extra_body={"tenbin": {"allow": ["cheap"]}})
    answer = asking.invoke(HARD)
    assert answer.response_metadata["headers"]["x-tenbin-model"] == "cheap"


def test_responses_and_embeddings(place: Place) -> None:
    answer = chat(place, "tenbin/auto", use_responses_api=True).invoke(HARD)
    assert answer.text.endswith(HARD)
    assert place["good"].requests[0].path.endswith("/responses")
    made = langchain_openai.OpenAIEmbeddings(
        base_url=place.base_url, api_key=place.key, model="vectors", check_embedding_ctx_length=False
    )
    assert len(made.embed_documents(["one", "two"])) == 2
