"""What a candidate answered, heard to its end: words, usage, why it ended, when it began."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tenbin.pilot.run.said import Said
from tenbin.types import Usage
from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.destination import Destination, Dialect
from tenbin.upstream.failure import UpstreamFailure, failure_inside
from tenbin.upstream.frame_stream import AnswerStream
from tenbin.upstream.reply import Reply
from tenbin.upstream.stream import AnthropicStream, OpenAIStream
from tenbin.upstream.translate.stop_reasons import to_finish_reason
from tenbin.upstream.usage import read_usage
from tenbin.upstream.words import MAX_ANSWER_BYTES, Words, words_of

FILTERED = "content_filter"
CONNECT_S = 10.0
UNSENT = frozenset({"connect", "unauthorised", "refused"})
"""Failures of sending after which the provider has nothing to bill: it was not reached, or not even called."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One whole answer. `usage` None: the provider told none, or zeros. `finish_reason` in OpenAI's words.

    `first_token_s` is on the clock that was handed in; None for an answer that did not come as a stream.
    """

    text: str
    usage: Usage | None
    finish_reason: str | None
    is_refusal: bool
    first_token_s: float | None = None


class UnheardError(Exception):
    """No usable answer came: the failure, and whether the provider may bill the call all the same."""

    def __init__(self, failure: UpstreamFailure, *, may_be_billed: bool) -> None:
        self.failure = failure
        self.may_be_billed = may_be_billed
        super().__init__(failure.told)


async def ask(client: UpstreamClient, destination: Destination, said: Said, deadline_s: float) -> Heard:
    """Ask a candidate and hear its answer to the end, within `deadline_s`.

    A provider that answers as a whole where a stream was asked is heard all the same. Raises UnheardError.
    """
    began = time.perf_counter()
    timeout = CallTimeout(connect_s=min(CONNECT_S, deadline_s), total_s=deadline_s)
    try:
        reply = await client.send(destination, said.path, said.body, {}, timeout)
    except UpstreamFailure as failure:
        raise UnheardError(failure, may_be_billed=failure.kind not in UNSENT) from None
    dialect = destination.dialect
    is_whole = reply.status < 300 and reply.content_type == "application/json"
    refused = await reply.failure(dialect, streamed=not is_whole)
    if refused is not None:
        raise UnheardError(refused, may_be_billed=reply.status < 300 or refused.kind == "timeout")
    try:
        if is_whole:
            return _whole(dialect, await reply.read(MAX_ANSWER_BYTES))
        return await _streamed(reply, dialect, began)
    except UpstreamFailure as failure:
        raise UnheardError(failure, may_be_billed=True) from None
    finally:
        reply.abort()


def _whole(dialect: Dialect, body: bytes) -> Heard:
    said, words = read_usage(dialect, body), words_of(dialect, body)
    if said.failure is not None:
        raise said.failure
    finish = _finish(dialect, said.finish_reason)
    return Heard(words, said.usage, finish, said.is_refusal or finish == FILTERED)


async def _streamed(reply: Reply, dialect: Dialect, began: float) -> Heard:
    stream: AnswerStream = AnthropicStream() if dialect == "anthropic" else OpenAIStream(strip_usage=False)
    words = Words()
    first_token_s: float | None = None
    try:
        async for chunk in reply.chunks():
            words.feed(stream.feed(chunk))
            if first_token_s is None and stream.has_content:
                first_token_s = time.perf_counter() - began
            if stream.is_done:
                break  # what an upstream takes to hang up is no part of the answer
        words.feed(stream.finish())
    except UpstreamFailure as broken:
        if stream.error is None:
            raise
        raise failure_inside(stream.error, dialect) from broken
    if stream.error is not None:
        raise failure_inside(stream.error, dialect)
    if not stream.is_done and not stream.finish_reason:
        raise UpstreamFailure("cut", "the answer's stream ended half-way")
    finish = _finish(dialect, stream.finish_reason)
    return Heard(words.text, stream.usage, finish, words.is_refusal or finish == FILTERED, first_token_s)


def _finish(dialect: Dialect, reason: str | None) -> str | None:
    return to_finish_reason(reason) if dialect == "anthropic" and reason is not None else reason
