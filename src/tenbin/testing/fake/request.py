"""One request as the fake upstream saw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec


@dataclass(eq=False)
class UpstreamRequest:
    """What came in, and what became of it; the last three fields are written while it is answered.

    `path` is the target as sent, query included; `headers` have lower-case names, repeated ones joined by ", ".
    `is_answered`: the whole answer was handed over. `was_closed`: the client closed the connection before that.
    `ended_at` is the moment of either; like `at` in seconds of time.monotonic.
    """

    number: int
    connection: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    is_answered: bool = False
    was_closed: bool = False
    ended_at: float | None = None

    @cached_property
    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, ValueError):
            return None

    @property
    def model(self) -> str | None:
        """The model that the body asks for."""
        body = self.json
        return body.get("model") if isinstance(body, dict) else None

    @property
    def is_streaming(self) -> bool:
        """Whether the body asks for a stream."""
        body = self.json
        return isinstance(body, dict) and body.get("stream") is True
