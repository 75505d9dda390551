"""What statuses, codes and words of refusals mean."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.upstream.destination import Dialect
from tenbin.upstream.failure import FailureKind, UpstreamFailure, failure_inside, failure_of, read_error
from tenbin.upstream.retry_after import retry_after


def kind_of(status: int, error: Any, dialect: Dialect = "openai") -> FailureKind:
    failure = failure_of(status, {}, json.dumps(error).encode() if not isinstance(error, bytes) else error, dialect)
    assert failure is not None
    return failure.kind


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def test_an_answer_is_no_failure() -> None:
    assert failure_of(200, {}, b'{"error": "x"}', "openai") is None
    assert failure_of(201, {}, b"", "anthropic") is None


@pytest.mark.parametrize(
    ("status", "kind", "moves_on", "counts"),
    [
        (302, "malformed", True, True),
        (400, "refused", False, False),
        (401, "unauthorised", True, True),
        (402, "unauthorised", True, True),
        (403, "unauthorised", True, True),
        (404, "not_found", True, False),
        (405, "not_found", True, False),
        (408, "timeout", True, True),
        (409, "overloaded", True, True),
        (410, "not_found", True, False),
        (413, "context", True, False),
        (418, "refused", False, False),
        (422, "refused", False, False),
        (425, "overloaded", True, True),
        (429, "rate_limited", True, True),
        (498, "overloaded", True, True),
        (500, "server_error", True, True),
        (502, "server_error", True, True),
        (503, "overloaded", True, True),
        (504, "timeout", True, True),
        (520, "server_error", True, True),
        (524, "timeout", True, True),
        (529, "overloaded", True, True),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>Server Error</html>", b"\xff{", b"[]", b"null", b'{"error": 3}'])
def test_a_status_alone(status: int, kind: FailureKind, moves_on: bool, counts: bool, body: bytes) -> None:
    failure = failure_of(status, {"x": "y"}, body, "openai")
    assert failure is not None
    assert (failure.kind, failure.moves_on, failure.counts) == (kind, moves_on, counts)
    assert (failure.status, failure.headers, failure.body) == (status, {"x": "y"}, body)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, said("x", code="context_length_exceeded")),
        (400, said("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000.")),
        (400, said("Your input exceeds the context window of this model. Please adjust your input.")),
        (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens", "code": 400}),
        (400, said("The decoder prompt (length 5000) is longer than the maximum model length of 4096.")),
        (400, [{"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of"}}]),
        (400, said("the request exceeds the available context size", type="exceed_context_size_error")),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "error_type": "validation"}),
        (400, {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}),
        (400, {"code": "400", "error": "This model's maximum prompt length is 131072 but the request contains 200000"}),
        (400, said("Please reduce the length of the messages or completion.")),
        (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}),
        (500, said("The input is longer than the model's context length")),
        (413, b""),
        (400, said("Invalid request: Your request exceeded model token limit: 262144")),
        (400, said("Input tokens exceed the configured limit of 272000 tokens.")),
        (400, said("Range of input length should be [1, 30720]")),
        (400, said("Prompt exceeds max length", code="1261")),
        (413, said("Request too large for model `m` on tokens per minute (TPM)", code="rate_limit_exceeded")),
        (
            429,
            said("Request too large for m on tokens per min (TPM): Limit 9, Requested 10.", code="rate_limit_exceeded"),
        ),
    ],
)
def test_a_conversation_that_is_too_long(status: int, error: Any) -> None:
    assert kind_of(status, error) == "context"


@pytest.mark.parametrize(
    ("status", "kind", "message", "type_"),
    [
        (400, "context", "prompt is too long: 208310 tokens > 200000 maximum", "invalid_request_error"),
        (400, "context", "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000", ""),
        (413, "context", "Request exceeds the maximum size", "request_too_large"),
        (400, "capability", "max_tokens: 9 > 8, which is the maximum allowed number of output tokens for claude", ""),
        (400, "capability", "adaptive thinking is not supported on this model", "invalid_request_error"),
        (400, "unauthorised", "Your credit balance is too low to access the Anthropic API.", "invalid_request_error"),
        (400, "capability", "context_management: Extra inputs are not permitted", "invalid_request_error"),
        (400, "refused", "messages: roles must alternate", "invalid_request_error"),
        (400, "refused", "Output blocked by content filtering policy", "invalid_request_error"),
        (404, "not_found", "model: claude-9", "not_found_error"),
        (400, "unauthorised", "You have reached your specified API usage limits. You will regain access on", ""),
        (400, "capability", "`temperature` and `top_p` cannot both be specified for this model.", ""),
        (
            400,
            "capability",
            "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags",
            "",
        ),
        (429, "context", "Extra usage is required for long context requests.", "rate_limit_error"),
        (429, "rate_limited", "This request would exceed your limit", "rate_limit_error"),
        (529, "overloaded", "Overloaded", "overloaded_error"),
    ],
)
def test_the_anthropic_dialect(status: int, kind: FailureKind, message: str, type_: str) -> None:
    error = {"type": "error", "error": {"type": type_, "message": message}}
    assert kind_of(status, error, "anthropic") == kind


EXTRA = {"type": "extra_forbidden", "loc": ["body", "n"], "msg": "Extra inputs are not permitted", "input": 1}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, said("x", code="unsupported_parameter", param="temperature")),
        (400, said("Unsupported value: 'temperature' does not support 0.2 with this model.", code="unsupported_value")),
        (400, said("Unrecognized request argument supplied: reasoning_effort")),
        (422, {"object": "error", "message": {"detail": [EXTRA]}, "type": "invalid_request_error", "code": None}),
        (422, {"object": "Error", "detail": [EXTRA], "message": [EXTRA], "code": 3001}),
        (400, {"detail": [{"msg": "messages.0: field required"}, EXTRA]}),
        (400, said("max_tokens is too large: 9999. This model supports at most 4096 completion tokens")),
        (400, said("tools is not supported in this model")),
        (400, {"object": "error", "message": "m is not a multimodal model", "type": "BadRequestError"}),
        (400, {"message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'}),
        (404, {"error": {"message": "No endpoints found that support image input", "code": 404}}),
        (400, {"error": {"message": "Provider returned error", "metadata": {"raw": "images are not supported"}}}),
        (
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": 'Invalid JSON payload received. Unknown name "store": Cannot find field.',
                    }
                }
            ],
        ),
        (400, [{"error": {"message": "Function call is missing a thought_signature in functionCall parts."}}]),
        (400, {"message": "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.", "code": "3280"}),
        (400, {"message": "x", "type": "invalid_function_call", "code": "3280"}),
        (400, said("The `reasoning_content` in the thinking mode must be passed back to the API.")),
        (400, said("Missing `reasoning_content` field in the assistant message at message index 2.")),
        (400, said("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]")),
        (400, said("Range of max_tokens should be [1, 8192]")),
        (400, said("it has a maxOutputTokens value of 9 but the supported range is from 1 to 8193")),
        (422, said("Failed to deserialize the JSON: messages[0].role: unknown variant `developer`, expected `user`")),
        (422, said("messages[2]: data did not match any variant of untagged enum ChatCompletionRequestContent")),
        (400, said("This response_format type is unavailable now")),
        (400, said("Conversation roles must alternate user/assistant/user/assistant/...")),
        (400, said("Model m is enabled only for api versions 2024-12-01-preview and later")),
        (400, said("Failed to call a function. Please adjust your prompt.", code="tool_use_failed")),
        (400, said("Failed to generate JSON. Please adjust your prompt.", code="json_validate_failed")),
        (415, b""),
        (501, b""),
    ],
)
def test_what_a_model_cannot_do(status: int, error: Any) -> None:
    assert kind_of(status, error) == "capability"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, said("filtered", code="content_filter")),
        (400, said("The response was filtered due to Azure OpenAI's content management policy.")),
        (400, {"error": {"message": "x", "innererror": {"content_filter_result": {}}}}),
        (400, said("x", code="content_policy_violation")),
        (400, said("This prompt is not supported: it violates our usage policies", code="invalid_prompt")),
        (403, {"error": {"message": "Your input was flagged", "code": 403}}),
        (403, {"code": "permission-denied", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK"}),
        (400, said("Invalid value: 'foo'. Supported values are: 'system' and 'user'.", code="invalid_value")),
        (400, said("[] is too short - 'messages'", param="messages")),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}),
    ],
)
def test_what_is_given_back(status: int, error: Any) -> None:
    assert kind_of(status, error) == "refused"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, said("You exceeded your current quota", code="insufficient_quota"), "rate_limited"),
        (
            429,
            said("Rate limit reached for m on tokens per min (TPM): Limit 9, Used 9.", code="rate_limit_exceeded"),
            "rate_limited",
        ),
        (429, said("You have exceeded your token limit, reduce the length of the messages"), "rate_limited"),
        (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], "unauthorised"),
        (401, said("Incorrect API key provided", code="invalid_api_key"), "unauthorised"),
        (404, said("The model `gpt-9` does not exist", code="model_not_found"), "not_found"),
        (400, said("The model `gpt-9` does not exist"), "not_found"),
        (400, said("Model Not Exist"), "not_found"),
        (400, said("a/b is not a valid model ID"), "not_found"),
        (
            400,
            said("The model `m` has been decommissioned and is no longer supported.", code="model_decommissioned"),
            "not_found",
        ),
        (400, said("Billing hard limit has been reached", code="billing_hard_limit_reached"), "unauthorised"),
        (403, {"code": "permission-denied", "error": "Access to the chat endpoint is denied."}, "unauthorised"),
        (500, said("this operation is not supported"), "server_error"),
        (503, said("maximum context length"), "overloaded"),
    ],
)
def test_words_and_codes_against_the_status(status: int, error: Any, kind: FailureKind) -> None:
    assert kind_of(status, error) == kind


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("rate_limited", "rate_limit_exceeded rate_limit_error insufficient_quota"),
        ("overloaded", "overloaded_error"),
        ("context", "context_length_exceeded exceed_context_size_error string_above_max_length request_too_large"),
        ("refused", "content_filter content_policy_violation moderation_blocked invalid_prompt data_inspection_failed"),
        ("unauthorised", "invalid_api_key authentication_error billing_error"),
        ("not_found", "model_not_found"),
        ("capability", "unsupported_parameter unsupported_value unsupported_model unknown_parameter"),
    ],
)
def test_a_code_says_it_whatever_the_words(kind: FailureKind, codes: str) -> None:
    assert {kind_of(400, said("x", code=code)) for code in codes.split()} == {kind}


@pytest.mark.parametrize(
    ("data", "dialect", "status", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "anthropic", 529, "overloaded"),
        ({"error": {"message": "x", "code": 502}, "choices": []}, "openai", 502, "server_error"),
        ({"error": {"message": "x", "type": "server_error"}}, "openai", 500, "server_error"),
        (said("maximum context length is 5"), "openai", 400, "context"),
        ({"error": "boom"}, "openai", 500, "server_error"),
        *(
            ({"type": "error", "code": code, "message": "x"}, "openai", status, kind)
            for code, status, kind in (
                ("rate_limit_exceeded", 429, "rate_limited"),
                ("context_length_exceeded", 400, "context"),
                ("invalid_prompt", 400, "refused"),
                ("invalid_image_url", 400, "refused"),
                ("bio_policy", 400, "refused"),
                ("model_not_found", 404, "not_found"),
                ("unheard_of", 500, "server_error"),
            )
        ),
        *(
            ({"type": "error", "error": {"type": type_, "message": "x"}}, "anthropic", status, kind)
            for type_, status, kind in (
                ("invalid_request_error", 400, "refused"),
                ("authentication_error", 401, "unauthorised"),
                ("billing_error", 402, "unauthorised"),
                ("permission_error", 403, "unauthorised"),
                ("not_found_error", 404, "not_found"),
                ("request_too_large", 413, "context"),
                ("rate_limit_error", 429, "rate_limited"),
                ("api_error", 500, "server_error"),
                ("timeout_error", 504, "timeout"),
            )
        ),
        ({"error": {"message": "x", "type": "requests", "code": "insufficient_quota"}}, "openai", 429, "rate_limited"),
        ({"error": {"message": "x", "code": 600}}, "openai", 500, "server_error"),
        ({"error": {"message": "x", "code": 399}}, "openai", 500, "server_error"),
        ({"error": {"message": "x", "code": 400}}, "openai", 400, "refused"),
    ],
)
def test_an_error_inside_an_answer(data: Any, dialect: Dialect, status: int, kind: FailureKind) -> None:
    failure = failure_inside(json.dumps(data).encode(), dialect)
    assert (failure.status, failure.kind) == (status, kind)


def test_the_faults_that_a_validating_server_lists_are_its_words() -> None:
    failure = failure_of(
        422, {}, json.dumps({"message": {"detail": [EXTRA, {"msg": "too short"}, 5]}}).encode(), "openai"
    )
    assert failure is not None
    assert failure.told.endswith("(body.n: Extra inputs are not permitted; too short)")


@pytest.mark.parametrize("message", [3, True, "", [], {}, {"detail": 5}])
def test_what_is_no_text_is_no_message(message: Any) -> None:
    assert read_error(json.dumps({"error": {"message": message}}).encode())["message"] is None


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT", "date": DATE}, 90),
        ({"retry-after": "Wed, 21 Oct 2026 07:00:00 GMT", "date": DATE}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:00:00 GMT"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 99 Oct 2026 99:00:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    failure = failure_of(503, headers, b"", "openai")
    assert failure is not None
    assert failure.retry_after_s == seconds


def test_google_says_in_the_body_how_long_to_wait() -> None:
    """Its candidates were asked again by every request, which then waited for the next one."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26.5s"}
    body = json.dumps([{"error": {"code": 429, "message": "Quota exceeded", "details": [info]}}], indent=2).encode()
    failure = failure_of(429, {}, body, "openai")
    assert failure is not None
    assert failure.retry_after_s == 26.5
    assert retry_after({"retry-after": "7"}, body) == 7


def test_only_a_refusal_stays() -> None:
    kinds = get_args(FailureKind)
    assert [kind for kind in kinds if not UpstreamFailure(kind, "x").moves_on] == ["refused"]


@given(st.integers(100, 999), st.binary(max_size=50), st.text(max_size=20), st.sampled_from(["openai", "anthropic"]))
def test_nothing_an_upstream_says_breaks_the_reading(status: int, body: bytes, wait: str, dialect: Dialect) -> None:
    failure = failure_of(status, {"retry-after": wait, "date": wait, "retry-after-ms": wait}, body, dialect)
    assert (failure is None) is (status < 300)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "code", "type", "message", "metadata", "raw", "innererror"]), inner)
    ),
    max_leaves=10,
)


@given(JSON)
def test_no_json_breaks_the_reading(value: Any) -> None:
    body = json.dumps(value).encode()
    assert failure_of(400, {}, body, "openai") is not None
    assert failure_inside(body, "anthropic").kind in get_args(FailureKind)


def test_what_it_says_holds_nothing_of_the_body() -> None:
    failure = failure_of(400, {}, b'{"error":{"message":"the secret prompt"}}', "openai")
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("error", "is_filter"),
    [
        (said("x", code="content_filter"), True),
        ({"error": {"message": "x", "code": {}, "type": []}}, False),
        (said("The response was filtered due to Azure OpenAI's content management policy."), True),
        (said("Your prompt was flagged as potentially violating our usage policy.", code="invalid_prompt"), True),
        (said("Content Exists Risk"), True),
        (said("temperature must be a number"), False),
        (said("content filter", code="context_length_exceeded"), False),
    ],
)
def test_a_filter_is_told_from_a_faulty_request(error: dict[str, Any], is_filter: bool) -> None:
    failure = failure_of(400, {}, json.dumps(error).encode(), "openai")
    assert failure is not None
    assert failure.is_content_filter == is_filter
