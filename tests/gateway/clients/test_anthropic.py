"""anthropic-python against the gateway: to a candidate of its own dialect and, translated, to one of OpenAI's."""

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
anthropic = Package("anthropic")
BOTH = pytest.mark.parametrize("model", ["claude", "good"])
ASKED = [{"role": "user", "content": HARD}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a town.",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}
THINKING = {"type": "enabled", "budget_tokens": 1024}


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=place.origin, api_key=place.key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", ["claude", "good", "tenbin/auto"])
def test_a_message(client: Any, model: str) -> None:
    raw = client.messages.with_raw_response.create(model=model, max_tokens=50, messages=ASKED, system="Be brief.")
    message = raw.parse()
    assert message.content[0].text.split(" was asked: ")[1] == HARD
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert message.id.startswith("msg_")
    assert raw.headers["x-tenbin-model"] == ("good" if model == "tenbin/auto" else model)
    assert raw.headers["x-tenbin-decision-id"].startswith("dec-")


@pytest.mark.parametrize("stated", ["x-request-id", "x-other"])
def test_an_answer_has_a_name_to_ask_after_whoever_gave_it(client: Any, place: Place, stated: str) -> None:
    """Where OpenAI's dialect answered `_request_id` was None, of errors, too."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    for status, body in ((200, {"id": "chatcmpl-1", "choices": [choice]}), (400, {"error": {"message": "No."}})):
        said = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} .\r\ncontent-type: application/json\r\n{stated}: req_there\r\n"
        place["good"].script = Answer(raw=f"{head}content-length: {len(said)}\r\n\r\n".encode() + said)
        told: dict[str, Any] = {"model": "good", "max_tokens": 9, "messages": ASKED}
        if status == 200:
            named = client.messages.create(**told)._request_id
        else:
            with pytest.raises(anthropic.BadRequestError) as caught:
                client.messages.create(**told)
            named = caught.value.request_id
        assert named == (
            "req_there" if stated == "x-request-id" else place["good"].requests[-1].headers["x-request-id"]
        )


@BOTH
def test_the_stream_helper(client: Any, model: str) -> None:
    with client.messages.stream(model=model, max_tokens=50, messages=ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text
    assert text.endswith(HARD)
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 5


@BOTH
def test_a_raw_stream_has_all_events_in_order(client: Any, model: str) -> None:
    stream = client.messages.create(model=model, max_tokens=50, messages=ASKED, stream=True)
    kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.index("content_block_start") < kinds.index("content_block_delta") < kinds.index("content_block_stop")


@BOTH
def test_async(place: Place, model: str) -> None:
    async def both() -> tuple[str, str]:
        async with anthropic.AsyncAnthropic(base_url=place.origin, auth_token=place.key, max_retries=0) as client:
            whole = await client.messages.create(model=model, max_tokens=50, messages=ASKED)
            async with client.messages.stream(model=model, max_tokens=50, messages=ASKED) as stream:
                streamed = await stream.get_final_text()
            return whole.content[0].text, streamed

    whole, streamed = asyncio.run(both())
    assert whole == streamed


@BOTH
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_round_trip_of_tools(client: Any, place: Place, model: str, is_streamed: bool) -> None:
    told: dict[str, Any] = {"model": model, "max_tokens": 100, "tools": [WEATHER]}
    choice = {"type": "tool", "name": "weather"}
    if is_streamed:
        with client.messages.stream(messages=ASKED, tool_choice=choice, **told) as stream:
            first = stream.get_final_message()
    else:
        first = client.messages.create(messages=ASKED, tool_choice=choice, **told)
    assert first.stop_reason == "tool_use"
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("weather", {"town": "text"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sunny"}]}
    history = [*ASKED, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = client.messages.create(messages=history, **told)
    assert second.content[0].text.endswith("sunny")
    sent = place[model].requests[-1]
    assert call.id in json.dumps(sent.json["messages"])
    assert sent.path.split("?")[0].endswith("/messages" if model == "claude" else "/chat/completions")


def test_thinking_comes_back_and_goes_back_with_its_signature(client: Any, place: Place) -> None:
    told: dict[str, Any] = {"model": "claude", "max_tokens": 2000, "thinking": THINKING}
    with client.messages.stream(messages=ASKED, **told) as stream:
        first = stream.get_final_message()
    assert [block.type for block in first.content] == ["thinking", "text"]
    history = [*ASKED, {"role": "assistant", "content": first.content}, {"role": "user", "content": "go on"}]
    client.messages.create(messages=history, **told)
    returned = place["claude"].requests[-1].json["messages"][1]["content"][0]
    assert returned["signature"] == first.content[0].signature


def test_thinking_is_asked_of_the_other_dialect_as_effort(client: Any, place: Place) -> None:
    message = client.messages.create(model="good", max_tokens=2000, messages=ASKED, thinking=THINKING)
    assert message.content[-1].type == "text"
    assert place["good"].requests[-1].json["reasoning_effort"] in ("low", "medium", "high")


@BOTH
def test_structured_output(client: Any, model: str) -> None:
    pydantic = pytest.importorskip("pydantic")
    verdict = pydantic.create_model("Verdict", holds=(bool, ...), steps=(list[str], ...))
    message = client.messages.parse(model=model, max_tokens=100, messages=ASKED, output_format=verdict)
    assert message.parsed_output == verdict(holds=True, steps=["text"])


@pytest.mark.parametrize("model", ["claude", "good", "tenbin/auto"])
def test_tokens_are_counted_without_an_answer(client: Any, place: Place, model: str) -> None:
    few = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": EASY}])
    many = client.messages.count_tokens(model=model, messages=ASKED * 3, tools=[WEATHER], system="Be brief.")
    assert 5 < few.input_tokens < many.input_tokens < 300
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 90_000}}
    seen = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": [picture]}])
    assert 1_000 < seen.input_tokens < 5_000
    assert [request.path for request in place["claude"].requests + place["good"].requests] == []


def test_the_list_of_models(client: Any) -> None:
    found = {model.id: model for model in client.models.list(limit=20)}
    assert set(found) == {"tenbin/auto", "cheap", "good", "claude", "vectors"}
    assert found["tenbin/auto"].display_name
    assert found["claude"].created_at.year == 1970
    assert client.models.retrieve("claude").id == "claude"


def test_betas_and_versions_reach_who_knows_them(client: Any, place: Place) -> None:
    for model in ("claude", "good"):
        client.beta.messages.create(model=model, max_tokens=9, messages=ASKED, betas=["context-1m-2025-08-07"])
    claude, good = place["claude"].requests[-1], place["good"].requests[-1]
    assert "context-1m-2025-08-07" in claude.headers["anthropic-beta"]
    assert claude.headers["anthropic-version"]
    assert not [name for name in good.headers if name.startswith("anthropic-")]
    assert place.key not in f"{claude.headers} {good.headers}"


@BOTH
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer.context_length_exceeded(), "BadRequestError"),
        (Answer.error(400), "BadRequestError"),
        (Answer.error(429, retry_after=7), "RateLimitError"),
        (Answer.error(500), "InternalServerError"),
        (Answer.html(502), "InternalServerError"),
        (Answer.error(503), "OverloadedError"),
    ],
)
def test_what_a_named_model_refuses(client: Any, place: Place, model: str, answer: Answer, kind: str) -> None:
    if model == "claude" and answer.status == 503:
        answer = Answer.error(529)
    place[model].script = answer
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model=model, max_tokens=9, messages=ASKED)
    assert type(caught.value).__name__ == kind
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["message"]
    if answer.code == "context_length_exceeded":
        assert "prompt is too long" in caught.value.body["error"]["message"]
    if answer.status == 429:
        assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"model": "nobody"}, "NotFoundError"),
        ({"messages": []}, "BadRequestError"),
        ({"extra_body": {"tenbin": {"mu": 2}}}, "BadRequestError"),
        ({"extra_headers": {"x-tenbin-min-quality": "7"}}, "BadRequestError"),
    ],
)
def test_what_the_gateway_refuses(client: Any, place: Place, fields: dict[str, Any], kind: str) -> None:
    with pytest.raises(getattr(anthropic, kind)) as caught:
        client.messages.create(**{"model": "tenbin/auto", "max_tokens": 9, "messages": ASKED, **fields})
    assert set(caught.value.body["error"]) >= {"type", "message"}
    assert place.upstreams.called() == []


def test_a_wrong_key_and_no_retries_after_ours(place: Place) -> None:
    told: dict[str, Any] = {"model": "tenbin/auto", "max_tokens": 9, "messages": ASKED}
    wrong = anthropic.Anthropic(base_url=place.origin, api_key="tb-wrong")
    with wrong, pytest.raises(anthropic.AuthenticationError):
        wrong.messages.create(**told)
    for fake in place.upstreams.fakes.values():
        fake.script = Answer.error(500)
    right = anthropic.Anthropic(base_url=place.origin, api_key=place.key, max_retries=2)
    with right, pytest.raises(anthropic.InternalServerError):
        right.messages.create(**told)
    assert sorted(place.upstreams.called()) == ["cheap", "claude", "good"]


@BOTH
def test_a_stream_that_breaks_raises(client: Any, place: Place, model: str) -> None:
    for broken in (Answer(error_after=5, chunk_gap_s=0.03), Answer(cut_at=1200, chunk_gap_s=0.01)):
        place[model].script = [broken]
        stream = client.messages.create(model=model, max_tokens=50, messages=ASKED, stream=True)
        with stream, pytest.raises(anthropic.APIError):
            list(stream)
