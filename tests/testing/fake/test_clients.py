"""What the fake upstream says, the providers' own clients understand: whole, streamed, with tools, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tenbin.testing import Answer, FakeUpstream
from tenbin.types import Usage

pytestmark = pytest.mark.extra
TURN: list[Any] = [{"role": "user", "content": "Which colour has the sky?"}]
SAID = "m was asked: Which colour has the sky?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALL = {"city": "text"}


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
def openai_client(upstream: FakeUpstream) -> Any:
    openai = pytest.importorskip("openai")
    return openai.OpenAI(base_url=upstream.base_url, api_key="sk-test", max_retries=0)


@pytest.fixture
def anthropic_client(upstream: FakeUpstream) -> Any:
    anthropic = pytest.importorskip("anthropic")
    return anthropic.Anthropic(base_url=upstream.origin, api_key="sk-test", max_retries=0)


def test_openai_chat(openai_client: Any) -> None:
    chat = openai_client.chat.completions
    whole = chat.create(model="m", messages=TURN)
    assert whole.choices[0].message.content == SAID
    with chat.stream(model="m", messages=TURN, stream_options={"include_usage": True}) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == SAID
    assert final.usage.total_tokens == whole.usage.total_tokens == 15


@pytest.mark.parametrize("kind", ["function", "custom"])
def test_openai_tools(openai_client: Any, kind: str) -> None:
    inner = {"name": "weather", "parameters": SCHEMA} if kind == "function" else {"name": "weather"}
    asked: Any = {"model": "m", "messages": TURN, "tools": [{"type": kind, kind: inner}], "tool_choice": "required"}
    (call,) = openai_client.chat.completions.create(**asked).choices[0].message.tool_calls
    assert call.type == kind
    said = call.function.arguments if kind == "function" else call.custom.input
    chunks = [chunk.choices[0].delta for chunk in openai_client.chat.completions.create(**asked, stream=True)]
    deltas = [getattr(delta.tool_calls[0], kind) for delta in chunks if delta.tool_calls]
    streamed = [d.arguments if kind == "function" else d["input"] for d in deltas]
    assert "".join(streamed) == said


def test_openai_legacy_function(openai_client: Any) -> None:
    asked: Any = {"functions": [{"name": "weather", "parameters": SCHEMA}], "function_call": {"name": "weather"}}
    choice = openai_client.chat.completions.create(model="m", messages=TURN, **asked).choices[0]
    assert (choice.finish_reason, choice.message.function_call.name) == ("function_call", "weather")


def test_openai_usage_details(openai_client: Any, upstream: FakeUpstream) -> None:
    upstream.script = Answer(usage=Usage(100, 20, cached_tokens=60, reasoning_tokens=5))
    usage = openai_client.chat.completions.create(model="m", messages=TURN).usage
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (100, 60)
    assert (usage.completion_tokens, usage.completion_tokens_details.reasoning_tokens) == (20, 5)


def test_openai_responses(openai_client: Any) -> None:
    whole = openai_client.responses.create(model="m", input="Which colour has the sky?")
    assert whole.output_text == SAID
    with openai_client.responses.stream(model="m", input="Which colour has the sky?") as stream:
        final = stream.get_final_response()
    assert (final.output_text, final.status) == (SAID, "completed")
    tool: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    called = openai_client.responses.create(model="m", input="hi", tools=[tool], tool_choice="required")
    assert (called.output[0].type, called.output[0].name) == ("function_call", "weather")
    with openai_client.responses.stream(model="m", input="hi", tools=[tool], tool_choice="required") as stream:
        assert stream.get_final_response().output[0].arguments == called.output[0].arguments


def test_openai_embeddings_and_models(openai_client: Any) -> None:
    as_base64 = openai_client.embeddings.create(model="m", input=["a", "b", "a"])
    as_floats = openai_client.embeddings.create(model="m", input=["a", "b", "a"], encoding_format="float")
    first, second, third = (item.embedding for item in as_base64.data)
    assert first == third != second
    assert sum(x * x for x in first) == pytest.approx(1.0, abs=1e-5)
    assert first == pytest.approx(as_floats.data[0].embedding)
    assert [model.id for model in openai_client.models.list()] == ["fake-model"]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (404, "NotFoundError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)
def test_errors_are_the_clients_own(
    openai_client: Any, anthropic_client: Any, upstream: FakeUpstream, status: int, name: str
) -> None:
    import anthropic
    import openai

    upstream.script = Answer.error(status, message="not today")
    with pytest.raises(getattr(openai, name), match="not today"):
        openai_client.chat.completions.create(model="m", messages=TURN)
    with pytest.raises(getattr(anthropic, name), match="not today"):
        anthropic_client.messages.create(model="m", messages=TURN, max_tokens=9)


def test_an_error_event_in_a_stream_is_raised(
    openai_client: Any, anthropic_client: Any, upstream: FakeUpstream
) -> None:
    import anthropic
    import openai

    upstream.script = Answer.error_in_stream(after_chunks=4)
    with pytest.raises(openai.APIError, match="fake upstream"):
        list(openai_client.chat.completions.create(model="m", messages=TURN, stream=True))
    with pytest.raises(anthropic.APIStatusError, match="fake upstream"):
        list(anthropic_client.messages.create(model="m", messages=TURN, max_tokens=99, stream=True))


def test_anthropic_messages(anthropic_client: Any) -> None:
    asked: Any = {"model": "m", "messages": TURN, "max_tokens": 2000}
    whole = anthropic_client.messages.create(**asked)
    assert (whole.content[0].text, whole.stop_reason) == (SAID, "end_turn")
    with anthropic_client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == SAID
        assert stream.get_final_message().usage.output_tokens == whole.usage.output_tokens == 8
    assert anthropic_client.messages.count_tokens(model="m", messages=TURN).input_tokens == whole.usage.input_tokens
    assert anthropic_client.messages.create(**asked | {"max_tokens": 3}).stop_reason == "max_tokens"


def test_anthropic_thinking_and_tools(anthropic_client: Any) -> None:
    asked: Any = {"model": "m", "messages": TURN, "max_tokens": 2000}
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    tool: Any = {"name": "weather", "input_schema": SCHEMA}
    with anthropic_client.messages.stream(**asked, thinking=thinking) as stream:
        thought, text = stream.get_final_message().content
    assert (thought.type, text.type) == ("thinking", "text")
    assert thought.signature
    for choice in ({"type": "any"}, {"type": "tool", "name": "weather"}):
        whole = anthropic_client.messages.create(**asked, tools=[tool], tool_choice=choice)
        with anthropic_client.messages.stream(**asked, tools=[tool], tool_choice=choice) as stream:
            final = stream.get_final_message()
        assert whole.stop_reason == final.stop_reason == "tool_use"
        assert whole.content[0].input == final.content[0].input == CALL


def test_anthropic_usage_leaves_the_cache_out_of_input(anthropic_client: Any, upstream: FakeUpstream) -> None:
    upstream.script = Answer(usage=Usage(100, 20, cached_tokens=60, cache_write_tokens=10))
    usage = anthropic_client.messages.create(model="m", messages=TURN, max_tokens=9).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (30, 60, 10)
