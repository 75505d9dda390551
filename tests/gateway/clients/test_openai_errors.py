"""How openai-python sees failures: the class it raises, the code, and whether it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tenbin.store.keys import create_key
from tenbin.testing import Answer
from tests.gateway.clients.conftest import Place
from tests.gateway.clients.package import Package
from tests.gateway.running import HARD, Running, Upstreams

BROKEN = Answer(body=b'{"choices": [', headers={"content-type": "text/html"})
pytestmark = pytest.mark.extra
openai = Package("openai")
ASKED = [{"role": "user", "content": HARD}]


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    with openai.OpenAI(base_url=place.base_url, api_key=place.key, max_retries=0) as made:
        yield made


def raised(client: Any, kind: str, **fields: Any) -> Any:
    with pytest.raises(getattr(openai, kind)) as caught:
        client.chat.completions.create(**{"model": "tenbin/auto", "messages": ASKED, **fields})
    return caught.value


@pytest.mark.parametrize(
    ("fields", "kind", "code", "param"),
    [
        ({"model": "nobody"}, "NotFoundError", "model_not_found", "model"),
        ({"model": "tenbin/nobody"}, "NotFoundError", "model_not_found", "model"),
        ({"messages": []}, "BadRequestError", "empty_messages", "messages"),
        ({"model": "vectors"}, "BadRequestError", "unsupported_endpoint", "model"),
        ({"extra_body": {"tenbin": {"mu": 3}}}, "BadRequestError", "invalid_dial", "tenbin.mu"),
        ({"extra_body": {"tenbin": {"mi": 3}}}, "BadRequestError", "invalid_dial", "tenbin.mi"),
        ({"max_tokens": -1}, "BadRequestError", "invalid_value", "max_tokens"),
    ],
)
def test_what_the_gateway_refuses(
    client: Any, place: Place, fields: dict[str, Any], kind: str, code: str, param: str
) -> None:
    error = raised(client, kind, **fields)
    assert (error.code, error.param) == (code, param)
    assert len(error.body["message"]) > 20
    assert place.upstreams.called() == []


def test_a_wrong_key(place: Place) -> None:
    with openai.OpenAI(base_url=place.base_url, api_key="tb-wrong", max_retries=2) as client:
        assert raised(client, "AuthenticationError").code == "invalid_api_key"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer.context_length_exceeded(), "BadRequestError", "context_length_exceeded"),
        (Answer.error(400, code="invalid_prompt"), "BadRequestError", "invalid_prompt"),
        (Answer.error(422, code="odd"), "UnprocessableEntityError", "odd"),
        (Answer.error(429, retry_after=7), "RateLimitError", "rate_limit_exceeded"),
        (Answer.error(500), "InternalServerError", None),
        (Answer.error(503), "InternalServerError", None),
        (Answer.html(502), "InternalServerError", "upstream_server_error"),
        (Answer.reset(), "InternalServerError", "upstream_reset"),
        (
            Answer(body=b'{"choices": [', headers={"content-type": "text/html"}),
            "InternalServerError",
            "upstream_malformed",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_a_named_model_refuses(
    client: Any, place: Place, answer: Answer, kind: str, code: str | None, stream: bool
) -> None:
    """Class, code, message and Retry-After survive; the gateway tried once, so the client may again."""
    place["good"].script = answer
    error = raised(client, kind, model="good", stream=stream)
    assert error.code == code
    assert "x-should-retry" not in error.response.headers
    assert error.response.headers.get("retry-after") == ("7" if answer.status == 429 else None)
    assert error.request_id


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer.context_length_exceeded(), "BadRequestError", "context_length_exceeded"),
        (Answer.error(400), "BadRequestError", None),
        (Answer.error(429, retry_after=7), "RateLimitError", "rate_limit_exceeded"),
        (Answer.error(529), "InternalServerError", "overloaded"),
    ],
)
def test_what_a_model_of_the_other_dialect_refuses(
    client: Any, place: Place, answer: Answer, kind: str, code: str | None
) -> None:
    place["claude"].script = answer
    error = raised(client, kind, model="claude")
    assert error.code == code
    assert error.body["message"]


def test_the_clients_own_retries_stop_where_the_gateway_has_retried(place: Place) -> None:
    """Everybody fails: three candidates were called once each, not three times each."""
    for fake in place.upstreams.fakes.values():
        fake.script = Answer.error(503)
    with openai.OpenAI(base_url=place.base_url, api_key=place.key, max_retries=2) as client:
        error = raised(client, "InternalServerError")
    assert error.response.headers["x-should-retry"] == "false"
    assert sorted(place.upstreams.called()) == ["cheap", "claude", "good"]


def test_the_client_retries_a_named_model_itself(place: Place) -> None:
    place["good"].script = [Answer.error(503, retry_after=0.01)]
    with openai.OpenAI(base_url=place.base_url, api_key=place.key, max_retries=2) as client:
        answer = client.chat.completions.create(model="good", messages=ASKED)
    assert answer.choices[0].message.content
    assert place.upstreams.called() == ["good", "good"]


def test_an_async_client_that_leaves_closes_the_upstream(place: Place) -> None:
    place["good"].script = Answer(text="word " * 1_000, chunk_gap_s=0.05)

    async def leave() -> None:
        async with openai.AsyncOpenAI(base_url=place.base_url, api_key=place.key) as client:
            stream = await client.chat.completions.create(model="good", messages=ASKED, stream=True)
            async for _ in stream:
                break
            await stream.close()

    asyncio.run(leave())
    (request,) = place["good"].wait_for(1)
    place["good"].wait_closed(request)


def test_limits_of_a_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("limits")
    slow, _ = create_key(folder / "store", "slow", requests_per_minute=1)
    poor, _ = create_key(folder / "store", "poor", day_usd=1e-9)
    narrow, _ = create_key(folder / "store", "narrow", models=["cheap"])
    with Upstreams("cheap", "good") as ups, Running(folder, ups, gateway="") as gateway:

        def client(key: str) -> Any:
            return openai.OpenAI(base_url=gateway.base_url, api_key=key, max_retries=0)

        with client(slow) as one, client(poor) as two, client(narrow) as three:
            one.chat.completions.create(model="tenbin/auto", messages=ASKED)
            error = raised(one, "RateLimitError")
            assert error.code == "rate_limited"
            assert 1 <= int(error.response.headers["retry-after"]) <= 60
            two.chat.completions.create(model="tenbin/auto", messages=ASKED)  # a budget is overshot by one at most
            assert raised(two, "RateLimitError").code == "budget_exhausted"
            assert raised(three, "NotFoundError", model="good").code == "model_not_found"
            answer = three.chat.completions.with_raw_response.create(model="tenbin/auto", messages=ASKED)
            assert answer.headers["x-tenbin-model"] == "cheap"
            assert {model.id for model in three.models.list()} == {"tenbin/auto", "cheap"}
