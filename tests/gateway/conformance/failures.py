"""The ways in which an upstream fails, what a client is shown of each, and whether the next candidate takes over."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenbin.testing import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.cases import OWN, TRANSLATED, Case, Endpoint, Section, crossed, spread

Script = Answer | Callable[[UpstreamRequest], Answer]
PAIRS = (*OWN, ("responses", "openai"), *TRANSLATED)

WIDE = " ".join(["x" * 20_000] * 60)
"""Words so wide that no single read of the gateway takes in both the first and what comes after 40 of them."""
WIDE_FRAMES, WIDE_BYTES = 45, 800_000
BROKEN_JSON = b'data: {"id": "chatcmpl-1", "choi\n\n'
RESPONSES_ERROR = (
    b'event: error\ndata: {"type": "error", "code": "server_error", "message": "Broken", "param": null}\n\n'
)
CREATED = b'data: {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}\n\n'
WIDE_DELTA = b'data: {"type": "response.output_text.delta", "delta": "%b"}\n\n' % (b"x" * 20_000)
NO_ANSWER = b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
AS_IT_IS = "the upstream's own"


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail; `whole` and `streamed` say how it is played, None where there is no such thing.

    `status` is what the upstream means (`anthropic_status`: one of Anthropic's dialect, where that differs), `code` and
    `kind` what a client of OpenAI's or Anthropic's dialect reads where the body is not passed on. `is_own`: there is
    nothing of the upstream to pass on. `is_down`: the candidate does not listen. `is_late`: content has gone out.
    """

    name: str
    whole: Script | None
    streamed: Script | None
    status: int
    code: str | None
    kind: str
    anthropic_status: int | None = None
    is_own: bool = False
    is_down: bool = False
    is_late: bool = False
    moves_on: bool = True

    def script(self, case: Case) -> Script | None:
        """How it is played in a case."""
        return self.streamed if case.is_stream else self.whole

    def shown_status(self, case: Case) -> int:
        """The status that the client sees: 503 and 529 are one thing in two dialects."""
        status = (case.upstream == "anthropic" and self.anthropic_status) or self.status
        if not case.is_translated or self.is_own:
            return status
        return {("chat", 529): 503, ("messages", 503): 529}.get((case.endpoint, status), status)

    def shown(self, endpoint: Endpoint) -> str | None:
        """The word for it in the client's dialect."""
        return self.kind if endpoint == "messages" else self.code


def breaking_with(frame: bytes) -> Script:
    """A stream that goes on with this frame after much content."""

    def script(request: UpstreamRequest) -> Answer:
        text = "x" * 20_000
        if "/messages" in request.path:
            delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
            content = f"event: content_block_delta\ndata: {json.dumps(delta)}\n\n"
        elif "/responses" in request.path:
            return Answer(chunks=(*[WIDE_DELTA] * WIDE_FRAMES, frame))
        else:
            content = f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n"
        return Answer(chunks=(*[content.encode()] * WIDE_FRAMES, frame))

    return script


def error_event(after: int) -> Script:
    """The error event of the endpoint, after so many frames of content."""

    def script(request: UpstreamRequest) -> Answer:
        if "/responses" in request.path:
            return Answer(chunks=(CREATED, *[WIDE_DELTA] * after, RESPONSES_ERROR))
        return Answer.error_in_stream(after_chunks=1) if after == 0 else Answer(text=WIDE, error_after=after)

    return script


def both(name: str, script: Script, status: int, code: str | None, kind: str, **more: object) -> Failure:
    """A failure that looks the same to a streamed request."""
    return Failure(name, script, script, status, code, kind, **more)  # type: ignore[arg-type]


INVALID, API = "invalid_request_error", "api_error"
FAILURES: Sequence[Failure] = (
    both("400 context_length_exceeded", Answer.context_length_exceeded(), 400, "context_length_exceeded", INVALID),
    both("400, any other", Answer.error(400, message="temperature: at most 2"), 400, None, INVALID, moves_on=False),
    both(
        "400 of a content filter",
        Answer.error(400, message="blocked by our content filter"),
        400,
        None,
        INVALID,
        moves_on=False,
    ),
    both("401", Answer.error(401), 401, "invalid_api_key", "authentication_error"),
    both("404", Answer.error(404), 404, "model_not_found", "not_found_error"),
    both("408", Answer.error(408), 408, "timeout", "timeout_error"),
    both("429 with Retry-After", Answer.error(429, retry_after=7), 429, "rate_limit_exceeded", "rate_limit_error"),
    both("500 with HTML", Answer.html(500), 500, "upstream_server_error", API, is_own=True),
    both("503", Answer.error(503), 503, "overloaded", "overloaded_error"),
    both("connection refused", Answer(), 502, "upstream_connect", API, is_own=True, is_down=True),
    both("reset before headers", Answer.reset(), 502, "upstream_reset", API, is_own=True),
    both("closed before headers", Answer.close(), 502, "upstream_reset", API, is_own=True),
    Failure(
        "cut before any content", Answer.cut_stream(40), Answer.cut_stream(10), 502, "upstream_cut", API, is_own=True
    ),
    Failure(
        "malformed JSON",
        Answer.malformed_json(),
        Answer(chunks=(BROKEN_JSON,)),
        502,
        "upstream_malformed",
        API,
        is_own=True,
    ),
    both(
        "200 with HTML",
        Answer(body=b"<html>Hello</html>", headers={"content-type": "text/html"}),
        502,
        "upstream_malformed",
        API,
        is_own=True,
    ),
    Failure("200 with an error in it", Answer(body=NO_ANSWER), None, 529, "overloaded", "overloaded_error"),
    Failure(
        "error event before any content",
        None,
        error_event(0),
        500,
        "overloaded",
        API,
        anthropic_status=529,
    ),
    Failure(
        "cut mid-stream",
        None,
        Answer(text=WIDE, cut_at=WIDE_BYTES, ending="close"),
        200,
        "stream_cut",
        API,
        is_late=True,
        moves_on=False,
    ),
    Failure(
        "error event mid-stream",
        None,
        error_event(WIDE_FRAMES),
        200,
        None,
        API,
        is_late=True,
        moves_on=False,
    ),
    Failure(
        "malformed JSON mid-stream",
        None,
        breaking_with(BROKEN_JSON),
        200,
        None,
        API,
        is_late=True,
        moves_on=False,
    ),
)
BY_NAME = {failure.name: failure for failure in FAILURES}
FAILURE_CASES: list[Case] = [
    case
    for case in crossed(BY_NAME, PAIRS, ("pinned", "routed", "exhausted"))
    if BY_NAME[case.name].script(case) is not None
]
REFUSAL = "content filter in place of an answer"
REFUSAL_CASES = crossed([REFUSAL], (*OWN, *TRANSLATED), ("pinned", "routed"))
SLOW = "slow first token"
SLOW_CASES = crossed([SLOW], OWN, ("pinned", "routed", "exhausted"))


def failures() -> Section:
    """The part of the table."""
    rows = [(f.name, *spread(FAILURE_CASES, f.name)[::2], *_promised(f)) for f in FAILURES]
    own = "the answer, `finish_reason` content_filter or `stop_reason` refusal"
    rows.append((REFUSAL, *spread(REFUSAL_CASES, REFUSAL)[::2], own, "the same: nobody else is asked", "–"))
    late = "504 `timeout`, at the deadline of the SLA"
    rows.append((SLOW, *spread(SLOW_CASES, SLOW)[::2], "the answer, late", "next one, inside the SLA", late))
    return Section(
        "Failures",
        "Pinned: the model was named itself, exactly one call goes out, and the client sees what a direct call would\n"
        "show: status, body, `Retry-After`. Routed: the first candidate of the plan fails; where the next one takes\n"
        "over, `x-tenbin-fallbacks` names the one that was left. All fail: as many calls as candidates, never more,\n"
        "and after more than one `x-should-retry: false`. Between dialects status, code and type are those of the\n"
        "client's dialect (Anthropic's 529 is OpenAI's 503). A kept connection that turns out to be closed is\n"
        "replaced once, which is no failure.",
        ("failure", "dialects", "streamed", "pinned", "routed", "all fail"),
        rows,
        [*FAILURE_CASES, *REFUSAL_CASES, *SLOW_CASES],
    )


def _promised(failure: Failure) -> tuple[str, str, str]:
    """What a client gets: pinned, routed, when all fail."""
    if failure.is_late:
        shown = "what came, then an error event, never a normal stop"
        return shown, "the same: content has gone out", "the same, one call"
    shown = f"{failure.status}"
    if failure.is_own:
        shown += f" `{failure.code}`"
    elif failure.anthropic_status is not None:
        shown += f" or {failure.anthropic_status}, the event's own body"
    else:
        shown += ", body as it is"
    if not failure.moves_on:
        return shown, "the same: the request is at fault", "the same, one call"
    return shown, "next candidate", "the same, `x-should-retry: false`"
