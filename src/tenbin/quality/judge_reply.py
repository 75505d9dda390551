"""A judge's reply, read strictly: one JSON object of the members asked for, or nonsense."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

Reply = TypeVar("Reply", bound=msgspec.Struct)
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", re.DOTALL | re.IGNORECASE)


def whole_reply(text: str, kind: type[Reply]) -> Reply | None:
    """The reply, alone or alone in a fence; None for anything else, before, behind or inside it."""
    fenced = _FENCED.fullmatch(text)
    try:
        return msgspec.json.decode((fenced[1] if fenced else text).encode(), type=kind)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
