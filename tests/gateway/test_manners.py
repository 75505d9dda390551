"""Upstreams that refuse what others take: what is asked of them a second time, and from then on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tenbin.testing import Answer, UpstreamRequest
from tenbin.upstream.failure import failure_of
from tenbin.upstream.manners import COURTESIES
from tests.gateway.clients.package import Package
from tests.gateway.running import HARD, Running, Upstreams, frames

anthropic, openai = Package("anthropic"), Package("openai")
TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
ID = "call_PTLP8xhu3uwZk4l3nlnrrJha"


def refused(message: Any, status: int = 400, **more: Any) -> Answer:
    body = json.dumps({"object": "error", "message": message, "type": "invalid_request_error", **more}).encode()
    return Answer(status=status, body=body)


def strict(request: UpstreamRequest) -> Answer | None:
    """As Mistral does it: no member that it does not know, ids of its own making, usage though nobody asks."""
    body = request.json
    unknown = [name for name in ("stream_options", "user", "metadata", "service_tier") if name in body]
    if unknown:
        fault = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
        return refused({"detail": [{**fault, "loc": ["body", name]} for name in unknown]}, 422)
    for i, message in enumerate(body["messages"]):
        if "annotations" in message:
            fault = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
            return refused({"detail": [{**fault, "loc": ["body", "messages", i, "assistant", "annotations"]}]}, 422)
        for call in message.get("tool_calls") or ():
            if len(call["id"]) != 9:
                said = f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9."
                return refused(said, type="invalid_function_call", code="3280")
    if not request.is_streaming:
        return None
    said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Yes."}, "finish_reason": None}]}
    end = {"id": "c", "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}
    end["usage"] = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}  # type: ignore[assignment]
    return Answer(chunks=(*(b"data: %s\n\n" % json.dumps(c).encode() for c in (said, end)), b"data: [DONE]\n\n"))


@pytest.fixture
def gateway(tmp_path: Path) -> Any:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as running:
        yield running


def test_a_stream_is_not_asked_for_its_usage_where_that_is_refused(gateway: Running) -> None:
    """Every stream of a Mistral model ended so: the gateway itself asks for the usage."""
    good = gateway.upstreams["good"]
    good.script = strict
    for model in ("tenbin/auto", "good"):
        for _ in range(2):
            answer = gateway.chat(model=model, stream=True)
            assert answer.status == 200, answer.body
            *chunks, done = frames(answer.body)
            assert (done, "usage" in chunks[-1], answer.headers["x-tenbin-model"]) == ("[DONE]", False, "good")
    assert ["stream_options" in r.json for r in good.requests] == [True, False, False, False, False]
    assert gateway.upstreams.called().count("cheap") == 0
    first, *calls = gateway.calls()
    assert {(call.usage.input_tokens, call.usage.output_tokens, call.status) for call in calls} == {(7, 2, "ok")}
    assert (first.status, first.failure, first.cost_usd) == ("failed", "capability", 0.0)


def test_a_model_that_was_named_itself_is_asked_as_the_client_has_it(gateway: Running) -> None:
    good = gateway.upstreams["good"]
    good.script = strict
    answer = gateway.chat(model="good", user="u-1")
    assert (answer.status, len(good.requests)) == (422, 1)
    assert gateway.chat(user="u-1").status == 200  # routed: nobody can know who will answer
    assert gateway.chat(model="good", user="u-1").status == 422


@pytest.mark.extra
def test_openais_client_goes_through_a_tool_loop_with_a_server_that_knows_nothing_of_openai(gateway: Running) -> None:
    good = gateway.upstreams["good"]
    good.script = strict
    client = openai.OpenAI(base_url=gateway.base_url, api_key="x", max_retries=0)
    call: Any = {"id": ID, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages: Any = [
        {"role": "user", "content": HARD},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None, "annotations": []},
        {"role": "tool", "tool_call_id": ID, "content": "Sunny"},
        {"role": "assistant", "content": "It is sunny.", "refusal": None, "annotations": []},
        {"role": "user", "content": f"{HARD} then"},
    ]
    answer = client.chat.completions.create(model="tenbin/auto", messages=messages, user="u-1", metadata={"a": "b"})
    assert answer.choices[0].finish_reason == "stop"
    served = good.requests[-1].json
    assert served["messages"][1]["tool_calls"][0]["id"] == served["messages"][2]["tool_call_id"] != ID
    assert not COURTESIES & served.keys()
    assert gateway.upstreams.called() == ["good"] * 4  # members, then ids, then what is empty; then as it is taken


@pytest.mark.extra
@pytest.mark.parametrize("model", ["good", "tenbin/auto"])
def test_anthropics_client_is_answered_by_it_too(gateway: Running, model: str) -> None:
    good = gateway.upstreams["good"]
    good.script = strict
    client = anthropic.Anthropic(base_url=gateway.base_url.removesuffix("/v1"), api_key="x", max_retries=0)
    messages: Any = [
        {"role": "user", "content": HARD},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_01ABC", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01ABC", "content": "Sunny"}]},
    ]
    tools: Any = [{"name": "weather", "input_schema": {"type": "object"}}]
    asked: Any = {"model": model, "max_tokens": 64, "messages": messages, "tools": tools, "metadata": {"user_id": "u"}}
    with client.messages.stream(**asked) as stream:
        answer = stream.get_final_message()
    assert (answer.content[0].type, answer.stop_reason, answer.usage.output_tokens) == ("text", "end_turn", 2)


def unthinking(request: UpstreamRequest) -> Answer | None:
    """DeepSeek: whoever thinks wants to be shown what it thought."""
    lacking = [m for m in request.json["messages"] if m["role"] == "assistant" and not m.get("reasoning_content")]
    said = "The `reasoning_content` in the thinking mode must be passed back to the API."
    return refused(said) if lacking else None


def unsigned(request: UpstreamRequest) -> Answer | None:
    """Gemini 3: a call without a signature is refused, in a list."""
    calls = [call for m in request.json["messages"] for call in m.get("tool_calls") or ()]
    said = "Function call is missing a thought_signature in functionCall parts. This is required for tools"
    error = [{"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}}]
    return Answer(status=400, body=json.dumps(error).encode()) if calls and "extra_content" not in calls[0] else None


def rusty(request: UpstreamRequest) -> Answer | None:
    """DeepSeek: another role is no variant."""
    said = (
        "Failed to deserialize the JSON body: messages[0].role: unknown variant `developer`, expected one of `system`"
    )
    return refused(said, 422) if request.json["messages"][0]["role"] == "developer" else None


TURNS: Mapping[Callable[[UpstreamRequest], Answer | None], Any] = {
    unthinking: [{"role": "assistant", "content": "4."}, {"role": "user", "content": HARD}],
    unsigned: [
        {"role": "assistant", "content": None, "tool_calls": [{"id": ID, "type": "function", "function": TOOL}]},
        {"role": "tool", "tool_call_id": ID, "content": "Sunny"},
    ],
    rusty: [{"role": "user", "content": HARD}],
}


@pytest.mark.parametrize("script", TURNS)
def test_a_routed_conversation_goes_on_at_who_wants_more_than_others(
    gateway: Running, script: Callable[[UpstreamRequest], Answer | None]
) -> None:
    good = gateway.upstreams["good"]
    good.script = script
    first = {"role": "developer" if script is rusty else "user", "content": HARD}
    body = {"model": "tenbin/auto", "messages": [first, *TURNS[script]]}
    for n in (2, 3):
        answer = gateway.post("/v1/chat/completions", body)
        assert (answer.status, answer.headers["x-tenbin-model"]) == (200, "good"), answer.body
        assert gateway.upstreams.called() == ["good"] * n


def test_a_request_that_was_under_way_while_it_was_learnt_is_asked_anew_as_well(gateway: Running) -> None:
    good = gateway.upstreams["good"]

    def script(request: UpstreamRequest) -> Answer | None:
        answer = strict(request)
        if request.number == 1:  # another one was refused a moment ago
            assert answer is not None
            failure = failure_of(422, {}, answer.body or b"", "openai")
            assert failure is not None
            gateway.gateway.services.learnt.learn(gateway.gateway.snapshot.destinations["good"], failure)
        return answer

    good.script = script
    assert gateway.chat(model="good", stream=True).status == 200
    assert len(good.requests) == 2


def test_what_is_refused_all_the_same_is_left_for_the_next_candidate(gateway: Running) -> None:
    good = gateway.upstreams["good"]
    good.script = refused({"detail": [{"loc": ["body", "user"], "msg": "Extra inputs are not permitted"}]}, 422)
    answer = gateway.chat(user="u-1")
    assert (answer.status, answer.headers["x-tenbin-fallbacks"]) == (200, "good")
    assert gateway.upstreams.called() == ["cheap", "good", "good"]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("endpoint", ["chat/completions", "messages"])
def test_a_cap_that_no_answer_of_the_model_reaches_is_lowered_to_its_own(
    tmp_path: Path, dialect: str, endpoint: str
) -> None:
    """Claude Code asks for 32,000 tokens, whoever answers."""

    def script(request: UpstreamRequest) -> Answer | None:
        if request.json["max_tokens"] <= 8192:
            return None
        said = "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"
        if dialect == "anthropic":
            said = "max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku"
        return Answer.error(400, message=said)

    body = {"model": "tenbin/auto", "max_tokens": 32_000, "messages": [{"role": "user", "content": HARD}]}
    with Upstreams(cheap="openai", good=dialect) as ups, Running(tmp_path, ups) as gateway:
        ups["good"].script = script
        for _ in range(2):
            answer = gateway.post(f"/v1/{endpoint}", body)
            assert (answer.status, answer.headers["x-tenbin-model"]) == (200, "good"), answer.body
        assert [request.json["max_tokens"] for request in ups["good"].requests] == [32_000, 8192, 8192]
        is_own = (dialect == "anthropic") == (endpoint == "messages")
        status = gateway.post(f"/v1/{endpoint}", {**body, "model": "good"}).status
        assert status == (400 if is_own else 200)  # in his own dialect who names it is taken at his word


@pytest.mark.parametrize("endpoint", ["chat/completions", "messages"])
def test_a_reasoning_model_is_known_by_what_it_refuses_where_its_name_tells_nothing(
    gateway: Running, endpoint: str
) -> None:
    """A deployment of Azure's may be called anything."""

    def script(request: UpstreamRequest) -> Answer | None:
        if "max_tokens" in request.json:
            said = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            return Answer.error(400, code="unsupported_parameter", message=said)
        if "temperature" in request.json:
            said = (
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default is supported."
            )
            return Answer.error(400, code="unsupported_value", message=said)
        return None

    good = gateway.upstreams["good"]
    good.script = script
    body = {
        "model": "tenbin/auto",
        "max_tokens": 64,
        "temperature": 0.2,
        "messages": [{"role": "user", "content": HARD}],
    }
    for _ in range(2):
        answer = gateway.post(f"/v1/{endpoint}", body)
        assert (answer.status, answer.headers["x-tenbin-model"]) == (200, "good"), answer.body
    assert len(good.requests) == 4
    assert good.requests[-1].json["max_completion_tokens"] == 64


@pytest.mark.parametrize("endpoint", ["chat/completions", "messages"])
def test_a_cap_that_does_not_fit_beside_the_prompt_is_lowered_for_this_request(gateway: Running, endpoint: str) -> None:
    """vLLM refuses what OpenAI's models cut; Claude Code was told that its prompt is too long, and compacted it."""
    window, read = 20_000, [16_614, 3_000]

    def script(request: UpstreamRequest) -> Answer | None:
        cap, tokens = request.json["max_tokens"], read[0]
        if cap + tokens <= window:
            return None
        said = f"'max_tokens' or 'max_completion_tokens' is too large: {cap}. This model's maximum context length is "
        said += f"{window} tokens and your request has {tokens} input tokens ({cap} > {window} - {tokens})."
        return refused(said, type="BadRequestError", code=400)

    good = gateway.upstreams["good"]
    good.script = script
    body = {"model": "tenbin/auto", "max_tokens": 32_000, "messages": [{"role": "user", "content": HARD}]}
    for _ in (1, 2):
        answer = gateway.post(f"/v1/{endpoint}", body)
        assert (answer.status, answer.headers["x-tenbin-model"]) == (200, "good"), answer.body
        read.pop(0)
    assert [request.json["max_tokens"] for request in good.requests] == [32_000, 3386, 32_000, 17_000]
