"""An answer as it goes over the wire: status line and headers, pieces, times, and how it ends."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tenbin.testing.fake.answer import Answer, Ending
from tenbin.testing.fake.chat import CREATED, chat_answer, chat_frames
from tenbin.testing.fake.embeddings import embeddings_answer
from tenbin.testing.fake.errors import error_body, error_frame
from tenbin.testing.fake.messages import counted, messages_answer, messages_frames
from tenbin.testing.fake.request import UpstreamRequest
from tenbin.testing.fake.responses import responses_answer, responses_frames
from tenbin.testing.fake.said import Said, say

JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a fake model speaks: seconds to its first token, tokens a second (None: at once), length of its answers."""

    models: tuple[str, ...] = ("fake-model",)
    first_token_s: float = 0.0
    tokens_per_s: float | None = None
    answer_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """Bytes and times; a `head` of None is never sent. `is_paced`: each piece is written by itself."""

    head: bytes | None
    pieces: Sequence[bytes]
    first_byte_s: float
    first_chunk_s: float
    chunk_gap_s: float
    is_paced: bool
    ending: Ending


@dataclass(slots=True)
class Payload:
    """What is said, before headers: one body, or the frames of a stream."""

    status: int
    content_type: str
    pieces: list[bytes]
    is_stream: bool
    output_tokens: int = 0


def render(request: UpstreamRequest, answer: Answer, voice: Voice) -> Rendered:
    """The bytes of an answer to a request."""
    ending: Ending = "close" if answer.ending == "whole" and answer.cut_at is not None else answer.ending
    if answer.raw is not None:
        pieces, head, payload = [answer.raw], b"", None
    else:
        payload = _payload(request, answer, voice)
        if answer.is_gzipped:
            payload.pieces = _gzipped(payload.pieces)
        pieces = payload.pieces if answer.chunk_bytes is None else _sliced(payload.pieces, answer.chunk_bytes)
        is_chunked = payload.is_stream or answer.chunks is not None
        head = _head(request, answer, payload, is_chunked)
    if answer.cut_at is not None:
        pieces = _cut(pieces, answer.cut_at)
    if payload is not None and is_chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
        if answer.cut_at is None and ending == "whole":
            pieces.append(LAST_CHUNK)
    first_byte_s, first_chunk_s, gap_s = _times(answer, payload, voice)
    return Rendered(
        head=None if answer.cut_at is not None and answer.cut_at < 0 else head,
        pieces=pieces,
        first_byte_s=first_byte_s,
        first_chunk_s=first_chunk_s,
        chunk_gap_s=gap_s,
        is_paced=bool(first_chunk_s or gap_s or answer.chunk_bytes or answer.chunks),
        ending=ending,
    )


def _times(answer: Answer, payload: Payload | None, voice: Voice) -> tuple[float, float, float]:
    """Seconds to the first byte, from there to the first chunk, between chunks: the answer's own, or the voice's."""
    first_byte_s, first_chunk_s, gap_s = answer.first_byte_s, answer.first_chunk_s, answer.chunk_gap_s
    if payload is None or payload.status >= 400:
        return first_byte_s, first_chunk_s, gap_s
    per_token_s = 1.0 / voice.tokens_per_s if voice.tokens_per_s else 0.0
    if payload.is_stream:
        return first_byte_s, first_chunk_s or voice.first_token_s, gap_s or per_token_s
    spoken_s = voice.first_token_s + payload.output_tokens * per_token_s if payload.output_tokens else 0.0
    return first_byte_s or spoken_s, first_chunk_s, gap_s


def _payload(request: UpstreamRequest, answer: Answer, voice: Voice) -> Payload:
    is_anthropic = "/messages" in request.path
    if answer.body is not None:
        return Payload(answer.status, JSON, [answer.body], is_stream=False)
    if answer.chunks is not None:
        return Payload(answer.status, EVENTS if request.is_streaming else JSON, list(answer.chunks), is_stream=True)
    if answer.status >= 400:
        body = error_body(is_anthropic, answer.status, answer.code, answer.message)
        return Payload(answer.status, JSON, [body], is_stream=False)
    payload = _correct(request, answer, voice)
    if answer.error_after is not None and payload.is_stream:
        frames = payload.pieces[: answer.error_after]
        payload.pieces = [*frames, error_frame(is_anthropic, answer.code, answer.message)]
    return payload


def _correct(request: UpstreamRequest, answer: Answer, voice: Voice) -> Payload:
    """The correct answer, by the path's end: whatever stands before it may be the base URL's."""
    path = urlsplit(request.path).path.rstrip("/")
    is_anthropic = "/messages" in path
    if request.method == "GET" and path.endswith("/models"):
        return Payload(answer.status, JSON, [_models(voice)], is_stream=False)
    body = request.json
    if request.method != "POST" or not isinstance(body, dict):
        status = 400 if request.method == "POST" else 404
        message = f"{request.method} {path} is not served, or its body is no JSON object."
        return Payload(status, JSON, [error_body(is_anthropic, status, None, message)], is_stream=False)
    if path.endswith("/embeddings"):
        return Payload(answer.status, JSON, [embeddings_answer(body)], is_stream=False)
    said = say(body, request.number, answer, voice.answer_tokens)
    if path.endswith("/messages/count_tokens"):
        return Payload(answer.status, JSON, [counted(said)], is_stream=False)
    is_stream = request.is_streaming
    pieces = _spoken(path, body, said, is_stream)
    if pieces is None:
        return Payload(404, JSON, [error_body(is_anthropic, 404, None, f"No such path: {path}")], is_stream=False)
    kind = EVENTS if is_stream else JSON
    return Payload(answer.status, kind, pieces, is_stream, said.usage.output_tokens)


def _spoken(path: str, body: Mapping[str, Any], said: Said, is_stream: bool) -> list[bytes] | None:
    if path.endswith("/chat/completions"):
        return chat_frames(body, said) if is_stream else [chat_answer(body, said)]
    if path.endswith("/messages"):
        return messages_frames(said) if is_stream else [messages_answer(said)]
    if path.endswith("/responses"):
        return responses_frames(body, said) if is_stream else [responses_answer(body, said)]
    return None


def _models(voice: Voice) -> bytes:
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in voice.models]
    return msgspec.json.encode({"object": "list", "data": data})


def _head(request: UpstreamRequest, answer: Answer, payload: Payload, is_chunked: bool) -> bytes:
    status = payload.status
    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    name = f"req_fake{request.number:06d}"
    headers = {"content-type": payload.content_type, "x-request-id": name, "request-id": name}
    if is_chunked:
        headers["transfer-encoding"] = "chunked"
    else:
        headers["content-length"] = str(sum(map(len, payload.pieces)))
    if answer.is_gzipped:
        headers["content-encoding"] = "gzip"
    headers |= {key.lower(): value for key, value in answer.headers.items()}
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _gzipped(pieces: list[bytes]) -> list[bytes]:
    packer = zlib.compressobj(wbits=31)
    packed = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*packed, packer.flush()]


def _sliced(pieces: list[bytes], size: int) -> list[bytes]:
    whole = b"".join(pieces)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _cut(pieces: Sequence[bytes], at: int) -> list[bytes]:
    """The pieces up to `at` bytes in all."""
    left, kept = max(at, 0), []
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece[:left])
        left -= len(piece)
    return kept
