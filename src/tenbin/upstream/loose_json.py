"""JSON as servers really write it: halves of surrogate pairs, NaN and Infinity.

Clients read it (Python's `json` takes all of it) and msgspec does not; an answer is not lost for it, nor changed: what
is mended here is only ever read.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

import msgspec

MAX_BYTES = 4 << 20
"""A longer text must be JSON in every respect: reading what is nearly JSON takes ten times as long."""
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL)
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""The members of an object, each as it was written."""

_T = TypeVar("_T")


def without_halves(text: bytes) -> bytes:
    """JSON with U+FFFD for each half of a surrogate pair."""
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["half"] else escape[0], text)


def decode(decoder: msgspec.json.Decoder[_T], text: bytes) -> _T:
    """What a text says: numbers that are none are null. Raises msgspec.DecodeError for what nobody would read."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if len(text) > MAX_BYTES:
            raise msgspec.DecodeError(str(error)) from None
    try:
        return decoder.decode(msgspec.json.encode(json.loads(without_halves(text))))
    except (ValueError, OverflowError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None


def members_of(text: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object as they were written, or as Python writes them where they are nearly JSON.

    Raises msgspec.DecodeError for what nobody would read.
    """
    try:
        return MEMBERS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if len(text) > MAX_BYTES:
            raise msgspec.DecodeError(str(error)) from None
    try:
        found = json.loads(text)
        return {name: msgspec.Raw(json.dumps(value, separators=(",", ":")).encode()) for name, value in found.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
