"""What refusals tell of an upstream's manners, and what becomes of a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.types import Candidate
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import failure_of
from tenbin.upstream.manners import (
    AT_MOST,
    CAP,
    EMPTY,
    NO_MANNERS,
    NOW_AT_MOST,
    REASONING,
    SHORT_IDS,
    SIGNATURE,
    SYSTEM,
    Learnt,
    Manners,
    minded,
    told_by,
)


def told(status: int, error: Any) -> Manners:
    failure = failure_of(status, {}, json.dumps(error).encode(), "openai")
    assert failure is not None
    return told_by(failure)


def extra(*place: str | int) -> dict[str, Any]:
    return {"type": "extra_forbidden", "loc": ["body", *place], "msg": "Extra inputs are not permitted"}


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


WINDOW = (
    "'max_tokens' or 'max_completion_tokens' is too large: %d. "
    "This model's maximum context length is %d tokens and your request has %d input tokens"
)
OLDER_WINDOW = (
    "This model's maximum context length is 8000 tokens. However, you requested 9000 tokens "
    "(1000 in the messages, 8000 in the completion). Please reduce the length of the messages or completion."
)
UNSATISFIED = "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property '%s' is %s"


@pytest.mark.parametrize(
    ("status", "error", "manners"),
    [
        (422, {"message": {"detail": [extra("stream_options", "include_usage")]}}, {"stream_options"}),
        (422, {"detail": [extra("user"), extra("max_completion_tokens")]}, {"user", CAP}),
        (422, {"detail": [extra("messages", 0, "user", "name")]}, {EMPTY}),
        (400, said("Unrecognized request argument supplied: stream_options"), {"stream_options"}),
        (400, said("Unrecognized request arguments supplied: metadata, store"), {"metadata", "store"}),
        (400, said("Unsupported parameter: 'verbosity' is not supported with this model."), {"verbosity"}),
        (400, [said('Invalid JSON payload received. Unknown name "metadata": Cannot find field.')], {"metadata"}),
        (400, said(UNSATISFIED % ("annotations", "unsupported)]")), {EMPTY}),
        (400, {"message": "property 'messages.2.assistant.refusal' is unsupported"}, {EMPTY}),
        (400, {"message": "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."}, {SHORT_IDS}),
        (500, said("Tool call id was call_49 but must be a-z, A-Z, 0-9,\nwith a length of 9"), {SHORT_IDS}),
        (400, [said("Function call is missing a thought_signature in functionCall parts.")], {SIGNATURE}),
        (400, said("Missing `reasoning_content` field in the assistant message at message index 2."), {REASONING}),
        (400, said("The `reasoning_content` in the thinking mode must be passed back to the API."), {REASONING}),
        (422, said("messages[0].role: unknown variant `developer`, expected one of `system`, `user`"), {SYSTEM}),
        (400, said("Invalid value: 'developer'. Supported values are: 'system', 'assistant', 'user'."), {SYSTEM}),
        (422, {"detail": [{"loc": ["body"], "msg": "Input tag 'developer' found using 'role'"}]}, {SYSTEM}),
        (400, said("Unexpected message role."), {SYSTEM}),
        (400, said("messages: the user and the developer are not supported here"), set()),
        (400, said("'stop' is not supported"), set()),
        (400, said("Unsupported value: 'temperature' does not support 0.2 with this model."), {"temperature"}),
        (400, said("'max_tokens' is not supported here. Use 'max_completion_tokens' instead."), {"max_tokens"}),
        (400, said("Invalid 'user': string too long"), set()),
        (429, said("metadata: 'user'"), set()),
        (400, said("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"), {f"{AT_MOST}8192"}),
        (400, said("Range of max_tokens should be [1, 8192]"), {f"{AT_MOST}8192"}),
        (400, said("max_tokens is too large. This model supports at most 99 completion tokens"), {f"{AT_MOST}99"}),
        (400, said("`max_completion_tokens` must be less than or equal to `40960`, the maximum"), {f"{AT_MOST}40960"}),
        (400, said("range of max_tokens is [1, 0]"), set()),
        (400, said("invalid temperature: only 1 is allowed for this model"), {"temperature"}),
        (400, said("Model incompatible request arguments supplied: temperature, top_p"), {"temperature", "top_p"}),
        (400, said(WINDOW % (32_000, 20_000, 16_614)), {f"{NOW_AT_MOST}3386"}),
        (400, said(WINDOW % (32_000, 20_000, 19_614)), set()),
        (400, said(OLDER_WINDOW), {f"{NOW_AT_MOST}7000"}),
    ],
)  # fmt: skip
def test_what_a_refusal_tells(status: int, error: Any, manners: set[str]) -> None:
    assert told(status, error) == manners


def test_what_was_learnt_of_one_upstream_is_kept_to_there_and_nowhere_else() -> None:
    learnt = Learnt()
    one, other = (Destination(Candidate(name), "openai", "http://x/v1") for name in ("one", "other"))
    claude = Destination(Candidate("claude"), "anthropic", "http://x/v1")
    failure = failure_of(400, {}, b'{"error": "Unrecognized request argument supplied: user"}', "openai")
    assert failure is not None
    assert learnt.of(one) == NO_MANNERS
    assert learnt.learn(one, failure) == learnt.of(one) == {"user"}
    assert learnt.of(other) == learnt.learn(claude, failure) == learnt.of(claude) == NO_MANNERS
    more = failure_of(400, {}, b'{"error": "Unrecognized request argument supplied: seed"}', "openai")
    assert more is not None
    assert learnt.learn(one, more) == {"user", "seed"}
    assert learnt.learn(one, failure) == {"user", "seed"}  # another request was under way meanwhile


def fit(members: dict[str, Any], *manners: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(minded(json.dumps(members).encode(), frozenset(manners)))
    return found


def test_what_changes_no_answer_is_left_out_and_what_does_stays() -> None:
    names = ("user", "seed", "n", "verbosity", "logprobs", "store", "reasoning_effort", "stop")
    harmless = {"user": "u", "seed": 7, "n": 1, "verbosity": "medium", "logprobs": None, "store": False}
    assert fit({"model": "m", **harmless, "reasoning_effort": "none"}, *names) == {"model": "m"}
    telling = {"n": 2, "verbosity": "low", "logprobs": True, "store": True, "reasoning_effort": "high", "stop": "x"}
    assert fit(telling, *names) == telling


def test_a_cap_goes_by_its_other_name_where_one_is_unknown() -> None:
    assert fit({CAP: 5}, CAP) == {"max_tokens": 5}
    assert fit({"max_tokens": 5}, "max_tokens") == {CAP: 5}
    assert fit({CAP: 5, "max_tokens": 6}, CAP) == {CAP: 5, "max_tokens": 6}


CLAUDE_CAP = "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku"


def test_a_cap_above_what_a_model_can_say_becomes_that() -> None:
    assert fit({CAP: 9000, "max_tokens": 5}, f"{AT_MOST}8192", f"{AT_MOST}4096") == {CAP: 4096, "max_tokens": 5}
    assert fit({"max_tokens": "many"}, f"{AT_MOST}8192") == {"max_tokens": "many"}
    claude = Destination(Candidate("claude"), "anthropic", "http://x/v1")
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": CLAUDE_CAP}}).encode()
    failure = failure_of(400, {}, body, "anthropic")
    assert failure is not None
    assert Learnt().learn(claude, failure) == {f"{AT_MOST}8192"}


def test_what_a_window_leaves_of_one_request_is_no_cap_of_the_next() -> None:
    learnt, vllm = Learnt(), Destination(Candidate("m"), "openai", "http://x/v1")
    failure = failure_of(400, {}, json.dumps(said(WINDOW % (32_000, 20_000, 16_614))).encode(), "openai")
    assert failure is not None
    manners = learnt.learn(vllm, failure)
    assert fit({"max_tokens": 32_000}, *manners) == {"max_tokens": 3386}
    assert fit({"max_tokens": 32_000}, *manners, f"{AT_MOST}2000") == {"max_tokens": 2000}
    assert learnt.of(vllm) == NO_MANNERS


def test_all_else_stays_as_it_was_written() -> None:
    body = b'{"a": 1.50, "user": "u", "big": 12345678901234567890123}'
    assert minded(body, frozenset({"user"})) == b'{"a":1.50,"big":12345678901234567890123}'
    nearly = b'{"user":"u","half":"\\ud83d"}'
    assert minded(nearly, frozenset({"user"})) == b'{"half":"\\ud83d"}'


CALLED = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_abc", "function": {"name": "f"}}]}
RESULT = {"role": "tool", "tool_call_id": "call_abc", "content": ""}


def changed(manner: str, *messages: Any) -> Any:
    return fit({"messages": list(messages)}, manner)["messages"]


def test_ids_of_calls_become_nine_letters_and_still_tie_results_to_calls() -> None:
    call, result = changed(SHORT_IDS, CALLED, RESULT)
    (made,) = call["tool_calls"]
    assert made["id"] == result["tool_call_id"]
    assert (len(made["id"]), made["id"].isalnum()) == (9, True)
    own = {**CALLED, "tool_calls": [{"id": "abcDEF123"}]}
    assert changed(SHORT_IDS, own) == [own]


def test_what_says_nothing_is_left_out_of_messages() -> None:
    answer = {"role": "assistant", "content": "x", "refusal": None, "annotations": [{"url": "u"}], "tool_calls": []}
    assert changed(EMPTY, answer, CALLED, RESULT) == [{"role": "assistant", "content": "x"}, CALLED, RESULT]


def test_an_answer_without_reasoning_bears_an_empty_one() -> None:
    thought = {"role": "assistant", "content": "x", "reasoning_content": "because"}
    messages = changed(REASONING, {"role": "user", "content": "?"}, thought, {**thought, "reasoning_content": ""})
    assert [message.get("reasoning_content") for message in messages] == [None, "because", " "]


def test_the_first_call_of_a_turn_bears_a_signature_unless_one_does() -> None:
    two = {**CALLED, "tool_calls": [{"id": "a"}, {"id": "b"}]}
    own = {**CALLED, "tool_calls": [{"id": "a", "extra_content": {"google": {"thought_signature": "s"}}}, {"id": "b"}]}
    first, second = changed(SIGNATURE, two, own)
    signed = {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert first["tool_calls"] == [{"id": "a", "extra_content": signed}, {"id": "b"}]
    assert second == own


def test_a_developer_speaks_as_the_system() -> None:
    said = {"role": "developer", "content": "Be brief."}
    assert changed(SYSTEM, said) == [{"role": "system", "content": "Be brief."}]


@pytest.mark.parametrize("messages", ["x", None, [3], [{"tool_calls": 3}], [{"tool_calls": [3]}]])
@pytest.mark.parametrize("manner", [EMPTY, SHORT_IDS, REASONING, SIGNATURE, SYSTEM])
def test_what_is_no_conversation_stays(manner: str, messages: Any) -> None:
    assert fit({"messages": messages}, manner) == {"messages": messages}
