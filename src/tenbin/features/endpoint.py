"""Vectors from an OpenAI-compatible `/v1/embeddings` endpoint, by the standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np

from tenbin.errors import ConfigError, NetworkError
from tenbin.features.unit_vectors import unit_vectors
from tenbin.types import Float32s

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_TOO_MUCH = frozenset({400, 413, 422})
"""How servers refuse more texts, or more tokens, in one request than they take: 10, 32 or 16,384 of some."""
_MAX_RESPONSE_BYTES = 256 << 20
_MAX_WAIT_S = 30.0
_SHOWN_CHARACTERS = 200
_PIECE_BYTES = 1 << 16
_SENDABLE = re.compile(r"[!-~]+")
"""What a line of a request may hold in an address or a key."""
_NAME = re.compile(r"endpoint-(?P<dim>[1-9][0-9]{0,6})-(?P<digest>[0-9a-f]{12})")


class EndpointEmbedder:
    """Asks `base_url`/embeddings for vectors of `model`, in batches, with retries and a timeout per request.

    A batch that is refused as one is asked for in halves, and later ones are no larger.
    The key is read from the environment variable named `api_key_env` at each call and stands nowhere else. Whether a
    vector depends on the other texts of a request is up to the server; with `batch=1` or a cache it cannot show.
    Redirects are not followed. `known_as` is the name that it went by before: the endpoint of that name is not asked
    for its dimension again, so that a router can be opened while it does not answer.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        batch: int = 64,
        timeout_s: float = 30.0,
        retries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
        known_as: str | None = None,
    ) -> None:
        parts = _parts_of(base_url)
        if parts is None:
            raise ConfigError(
                "not an address of an embeddings endpoint", where=base_url, fix="give it as https://HOST/v1"
            )
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.api_key_env = api_key_env
        self.batch = max(batch, 1)
        self.timeout_s = timeout_s
        self.retries = retries
        self._sleep = sleep
        self._names_form = True
        self._parts = parts
        self._digest = hashlib.sha256(f"{self.base_url}\n{model}".encode()).hexdigest()[:12]
        known = _NAME.fullmatch(known_as or "")
        self._known_dim = int(known["dim"]) if known and known["digest"] == self._digest else None

    @cached_property
    def name(self) -> str:
        """`endpoint-DIM-HASH` of address and model: the weights behind it cannot be seen."""
        return f"endpoint-{self.dim}-{self._digest}"

    @cached_property
    def dim(self) -> int:
        """Columns of the vectors; asks the endpoint once where its name is not known."""
        return self._known_dim or int(self._ask(["dimension"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, dim]; empty texts are zero and are not sent.

        Raises NetworkError (no answer, a refusal, an answer of another shape), ConfigError (the key is not set).
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        said = [i for i, text in enumerate(texts) if text.strip()]
        while said:
            rows, said = said[: self.batch], said[self.batch :]
            found = self._ask([texts[i].encode("utf-8", "replace").decode() for i in rows])
            if found.shape[1] != self.dim:
                raise self._fault(f"vectors of {found.shape[1]} columns came after vectors of {self.dim}")
            vectors[rows] = unit_vectors(found)
        return vectors

    def _fault(self, what: str, fix: str = "check the endpoint, the model and the key") -> NetworkError:
        return NetworkError(what, where=f"{self.base_url}/embeddings", fix=fix)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.api_key_env is not None:
            key = os.environ.get(self.api_key_env, "").strip()
            if not key:
                raise ConfigError(
                    "the key of the embeddings endpoint is not set",
                    where=f"environment variable {self.api_key_env}",
                    fix="set it to the key",
                )
            if not _SENDABLE.fullmatch(key):
                raise ConfigError(
                    "the key of the embeddings endpoint has characters that no header can hold",
                    where=f"environment variable {self.api_key_env}",
                    fix="set it to the key alone",
                )
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _ask(self, texts: list[str]) -> Float32s:
        """Raw vectors float32 [n, d] of texts that are not empty; tries again on what may pass."""
        form = {"encoding_format": "float"} if self._names_form else {}
        body = json.dumps({"model": self.model, "input": texts, **form}).encode()
        headers = self._headers()
        trouble = "no answer"
        for attempt in range(self.retries + 1):
            wait_s = min(0.5 * 2**attempt, _MAX_WAIT_S)
            try:
                status, retry_after, answer = self._post(body, headers)
            except TimeoutError as error:
                trouble = f"no answer within {self.timeout_s:g} s"
                if not self.retries:
                    more = "give it more time (decision_deadline_ms at a gateway), or check the endpoint"
                    raise self._fault(trouble, more) from error
            except (OSError, http.client.HTTPException) as error:
                trouble = f"no answer ({type(error).__name__})"
            else:
                if status == http.client.OK:
                    return self._read(answer, len(texts))
                trouble = f"the endpoint refused with status {status}: {_shown(answer)}"
                if status in _TOO_MUCH and self._names_form and b"encoding_format" in answer:
                    self._names_form = False  # Voyage AI, and LiteLLM before Gemini: numbers are what they give unasked
                    return self._ask(texts)
                if status in _TOO_MUCH and len(texts) > 1:
                    return self._ask_in_halves(texts)
                if status not in _RETRIED:
                    raise self._fault(trouble)
                wait_s = _asked_wait(retry_after, wait_s)
            if attempt < self.retries:
                self._sleep(wait_s)
        raise self._fault(f"{trouble}, after {self.retries + 1} attempts" if self.retries else trouble)

    def _ask_in_halves(self, texts: list[str]) -> Float32s:
        half = len(texts) // 2
        self.batch = min(self.batch, len(texts) - half)
        first, second = self._ask(texts[:half]), self._ask(texts[half:])
        if first.shape[1] != second.shape[1]:
            raise self._fault(f"vectors of {second.shape[1]} columns came after vectors of {first.shape[1]}")
        return np.concatenate([first, second])

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=self.timeout_s)
        try:
            connection.request("POST", f"{self._parts.path.rstrip('/')}/embeddings", body, headers)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After"), self._body(response)
        finally:
            connection.close()

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        """What came within the timeout: each byte alone may take that long for the socket."""
        ends_at, found = time.monotonic() + self.timeout_s, bytearray()
        while len(found) < _MAX_RESPONSE_BYTES and (piece := response.read1(_PIECE_BYTES)):
            found += piece
            if time.monotonic() > ends_at:
                raise TimeoutError("the answer does not end")
        if response.length:
            raise http.client.IncompleteRead(bytes(found), response.length)
        return bytes(found)

    def _read(self, answer: bytes, n: int) -> Float32s:
        try:
            data: list[dict[str, Any]] = json.loads(answer)["data"]
            # Gemini leaves out an index of 0, others all of them: these stand in the order of the texts.
            by_index = {int(item.get("index", place)): item["embedding"] for place, item in enumerate(data)}
            if len(data) != n or sorted(by_index) != list(range(n)):
                raise ValueError("indices")
            with np.errstate(over="ignore"):
                vectors = np.array([by_index[i] for i in range(n)], np.float32)
            if vectors.ndim != 2 or not vectors.shape[1]:
                raise ValueError("shape")
            if not np.isfinite(vectors).all():  # a server out of its depth; zeros would be kept, and say nothing
                raise ValueError("not finite")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            what = f"the answer is not a list of one vector of finite numbers per text: {_shown(answer)}"
            raise self._fault(what) from error
        return vectors


def _asked_wait(retry_after: str | None, otherwise_s: float) -> float:
    try:
        asked_s = float(retry_after or "")
    except ValueError:
        return otherwise_s
    return min(asked_s, _MAX_WAIT_S) if asked_s >= 0.0 else otherwise_s


def _parts_of(base_url: str) -> SplitResult | None:
    """The parts of a plain web address; None where it is none."""
    try:
        parts = urlsplit(base_url)
        is_plain = not (parts.username or parts.query) and parts.port != 0  # a port out of range is a ValueError
    except ValueError:
        return None
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return parts if is_web and is_plain and _SENDABLE.fullmatch(f"/{parts.path}") else None


def _shown(answer: bytes) -> str:
    text = " ".join(answer[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace").split())[:_SHOWN_CHARACTERS]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


__all__ = ["EndpointEmbedder"]
