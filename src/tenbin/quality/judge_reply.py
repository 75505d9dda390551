"""A judge's reply, read strictly: one JSON object of the members asked for, or nonsense."""

from __future__ import annotations

from typing import TypeVar

import msgspec

Reply = TypeVar("Reply", bound=msgspec.Struct)
FENCE = "```"


def whole_reply(text: str, kind: type[Reply]) -> Reply | None:
    """The reply, alone or alone in a fence; None for anything else, before, behind or inside it."""
    bare = text.strip()
    if bare.startswith(FENCE) and bare.endswith(FENCE):
        bare = bare.removeprefix(FENCE).removeprefix("json").removesuffix(FENCE)
    try:
        return msgspec.json.decode(bare.encode(), type=kind)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
