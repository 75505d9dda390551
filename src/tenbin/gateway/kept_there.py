"""What a provider keeps of /v1/responses and nobody here may use: all keys share one account there.

Only `previous_response_id` is bound to the key and the candidate it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.errors import RequestError


def check_members(members: Mapping[str, msgspec.Raw]) -> None:
    """Refuse a conversation that is kept there, and an answer that would have to be fetched there. RequestError 400."""
    if bytes(members.get("conversation", b"null")).strip() != b"null":
        what = "conversations that the provider keeps are not served: nobody knows whose they are"
        raise _unsupported(what, "conversation", "use previous_response_id, or send the whole input")
    if bytes(members.get("background", b"null")).strip() == b"true":
        what = "background responses are not served: they could not be fetched here"
        raise _unsupported(what, "background", "leave it out and wait, or stream")


def check_item(item: Any, param: str) -> None:
    """Refuse an entry of `input` that is no object, or only refers to what is kept there. RequestError 400."""
    if not isinstance(item, dict):
        raise RequestError(400, "invalid_type", f"{param} is no object", param=param)
    kind = item.get("type")
    if kind == "item_reference" or (kind is None and "role" not in item):  # its type may be left out
        what = f"{param} refers to an item that the provider keeps: nobody knows whose it is"
        raise _unsupported(what, param, "send the item itself, or use previous_response_id")


def _unsupported(what: str, param: str, fix: str) -> RequestError:
    return RequestError(400, "unsupported_parameter", what, param=param, fix=fix)
