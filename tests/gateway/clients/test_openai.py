"""openai-python against the gateway: what its users call, each for real over loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tenbin.testing import Answer
from tests.gateway.clients.conftest import Place
from tests.gateway.clients.package import Package
from tests.gateway.running import EASY, HARD

pytestmark = pytest.mark.extra
openai = Package("openai")

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    with openai.OpenAI(base_url=place.base_url, api_key=place.key, max_retries=0) as made:
        yield made


def asked(text: str = HARD) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_an_answer_and_what_was_decided(client: Any, place: Place) -> None:
    raw = client.chat.completions.with_raw_response.create(model="tenbin/auto", messages=asked())
    answer = raw.parse()
    assert answer.choices[0].message.content.startswith("gpt-5 was asked: prove rigorously")
    assert answer.usage.total_tokens > 0
    assert raw.headers["x-tenbin-model"] == "good"
    assert float(raw.headers["x-tenbin-expected-quality"]) > 0.5
    assert float(raw.headers["x-tenbin-expected-cost-usd"]) > 0.0
    assert raw.headers["x-tenbin-reason"].startswith("least expected loss")
    assert raw.request_id == raw.headers["x-request-id"]
    shown = client.get(f"/decisions/{raw.headers['x-tenbin-decision-id']}", cast_to=object)
    assert {c["model"] for c in shown["candidates"]} >= {"cheap", "good", "claude"}


@pytest.mark.parametrize("model", ["tenbin/auto", "good", "claude"])
def test_a_stream(client: Any, model: str) -> None:
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=asked(), stream=True, stream_options=options))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "was asked: prove rigorously the difficult theorem" in text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-1].choices == []


def test_usage_that_was_not_asked_for_is_not_given(client: Any) -> None:
    chunks = list(client.chat.completions.create(model="tenbin/auto", messages=asked(), stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


@pytest.mark.parametrize("model", ["tenbin/auto", "claude"])
def test_the_stream_helper(client: Any, model: str) -> None:
    with client.chat.completions.stream(model=model, messages=asked()) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert "theorem" in final.choices[0].message.content


def test_async_and_many_at_once(place: Place) -> None:
    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(base_url=place.base_url, api_key=place.key, max_retries=0) as client:

            async def one(number: int) -> str:
                answer = await client.chat.completions.create(model="tenbin/auto", messages=asked(f"{EASY} {number}"))
                return str(answer.choices[0].message.content)

            async def streamed(number: int) -> str:
                stream = await client.chat.completions.create(
                    model="tenbin/auto", messages=asked(f"{HARD} {number}"), stream=True
                )
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

            return await asyncio.gather(*(one(i) for i in range(8)), *(streamed(i) for i in range(8)))

    answers = asyncio.run(all_of_them())
    assert [answer.split()[-1] for answer in answers] == [str(i) for i in range(8)] * 2
    assert {answer.split()[0] for answer in answers} == {"gpt-5-mini", "gpt-5"}


@pytest.mark.parametrize("model", ["tenbin/auto", "good", "claude"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_round_trip_of_tools(client: Any, place: Place, model: str, stream: bool) -> None:
    """The call comes in one piece or many, its result goes back, and whoever called is asked again."""
    messages: list[Any] = asked("what is the weather in Kyoto")
    choice = {"type": "function", "function": {"name": "weather"}}
    told: dict[str, Any] = {"model": model, "tools": [WEATHER]}
    if stream:
        with client.chat.completions.stream(messages=messages, tool_choice=choice, **told) as events:
            first = events.get_final_completion()
    else:
        first = client.chat.completions.create(messages=messages, tool_choice=choice, **told)
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = first.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"town": "text"})
    reply = {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"}
    history = [*messages, first.choices[0].message.to_dict(), reply]
    second = client.chat.completions.create(messages=history, **told)
    assert "sunny, 21 degrees" in second.choices[0].message.content
    sent = place["claude" if model == "claude" else "good" if place["good"].requests else "cheap"].requests[-1].json
    assert call.id in json.dumps(sent)


@pytest.mark.parametrize("model", ["tenbin/auto", "claude"])
def test_structured_outputs(client: Any, model: str) -> None:
    pydantic = pytest.importorskip("pydantic")
    verdict = pydantic.create_model("Verdict", holds=(bool, ...), steps=(list[str], ...))
    answer = client.chat.completions.parse(model=model, messages=asked(), response_format=verdict)
    assert answer.choices[0].message.parsed == verdict(holds=True, steps=["text"])


@pytest.mark.parametrize(
    ("label", "data", "sent"),
    [
        ("image/jpg", "/9j/4AAQSkZJRg==", "image/jpeg"),
        ("image/png", "/9j/4AAQSkZJRg==", "image/jpeg"),
        ("application/octet-stream", "iVBORw0KGgo=", "image/png"),
        ("image/gif", "R0lGODlhAQABAA==", "image/gif"),
        ("image/x-webp", "UklGRiIAAABXRUJQ", "image/webp"),
        ("image/png", "QUJD", "image/png"),
    ],
)
def test_a_picture_is_labelled_as_what_it_is(client: Any, place: Place, label: str, data: str, sent: str) -> None:
    """Anthropic refuses a request for image/jpg, which OpenAI takes, and for a label that its picture is not."""
    picture = {"type": "image_url", "image_url": {"url": f"data:{label};base64,{data}"}}
    client.chat.completions.create(model="claude", messages=[{"role": "user", "content": [picture]}])
    (block,) = place["claude"].requests[-1].json["messages"][0]["content"]
    assert block == {"type": "image", "source": {"type": "base64", "media_type": sent, "data": data}}


def test_responses(client: Any, place: Place) -> None:
    first = client.responses.create(model="tenbin/auto", input=HARD, instructions="Be brief.")
    assert "theorem" in first.output_text
    second = client.responses.create(model="tenbin/auto", input=f"{EASY} 1", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert [request.model for request in place["good"].requests] == ["gpt-5", "gpt-5"]
    with client.responses.stream(model="tenbin/auto", input=HARD) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert final.usage.output_tokens > 0


def test_embeddings_as_floats_and_as_base64(client: Any, place: Place) -> None:
    for form in ({}, {"encoding_format": "float"}):
        answer = client.embeddings.create(model="vectors", input=["one", "two"], **form)
        assert [len(item.embedding) for item in answer.data] == [len(answer.data[0].embedding)] * 2
        assert all(isinstance(value, float) for value in answer.data[0].embedding)
    assert place["vectors"].requests[0].json["encoding_format"] == "base64"


def test_dials_in_the_body_and_in_headers(client: Any, place: Place) -> None:
    """Both forms tighten; the member stays here."""
    body = {"tenbin": {"deny": ["good"]}, "an_unknown_field": 1.50}
    raw = client.chat.completions.with_raw_response.create(model="tenbin/auto", messages=asked(), extra_body=body)
    assert raw.headers["x-tenbin-model"] in ("claude", "cheap")
    body["tenbin"] = {"allow": ["good"]}
    client.chat.completions.create(model="tenbin/auto", messages=asked(), extra_body=body)
    (sent,) = place["good"].requests
    assert "tenbin" not in sent.json
    assert b'"an_unknown_field":1.5' in sent.body
    head = {"x-tenbin-allow": "cheap"}
    raw = client.chat.completions.with_raw_response.create(model="tenbin/auto", messages=asked(), extra_headers=head)
    assert raw.headers["x-tenbin-model"] == "cheap"


def test_the_list_of_models(client: Any) -> None:
    found = [model.id for model in client.models.list()]
    assert found[0] == "tenbin/auto"
    assert set(found) == {"tenbin/auto", "cheap", "good", "claude", "vectors"}
    assert client.models.retrieve("good").owned_by
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")
    assert client.models.retrieve("tenbin/auto").id == "tenbin/auto"


def test_feedback_with_the_same_client(client: Any) -> None:
    raw = client.chat.completions.with_raw_response.create(model="tenbin/auto", messages=asked())
    body = {"decision_id": raw.headers["x-tenbin-decision-id"], "quality": 0.5}
    assert client.post("/feedback", cast_to=object, body=body)
    with pytest.raises(openai.NotFoundError):
        client.post("/feedback", cast_to=object, body={**body, "decision_id": "dec_nobody"})


def test_a_stream_of_answers_from_another_dialect_keeps_its_model(client: Any) -> None:
    answer = client.chat.completions.create(model="claude", messages=asked(), max_tokens=5)
    assert answer.model == "claude-sonnet-4-5"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5


def test_a_cut_stream_raises(client: Any, place: Place) -> None:
    place["good"].script = [Answer(error_after=4, chunk_gap_s=0.03)]
    with pytest.raises(openai.APIError, match="fake upstream"):
        list(client.chat.completions.create(model="good", messages=asked(), stream=True))
    place["good"].script = [Answer(cut_at=900, chunk_gap_s=0.01)]
    with pytest.raises(openai.APIError, match="half-way"):
        list(client.chat.completions.create(model="good", messages=asked(), stream=True))
