"""How long an upstream asks to be left alone."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d{1,9})?)s"')
"""Google's RetryInfo, which comes without a header."""


def retry_after(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """The seconds an upstream asks to be left alone: `retry-after-ms`, or `Retry-After` in seconds or as a date; else
    what Google writes into the body.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if text is None and (told := _DELAY.search(body)) is not None:
        return float(told[1])
    if seconds is not None or text is None:
        return seconds
    until = _moment(text)
    now = _moment(headers.get("date"))
    return None if until is None else max(until - (time.time() if now is None else now), 0.0)


def _number(text: str | None) -> float | None:
    """A number that is neither negative nor endless, None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _moment(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
