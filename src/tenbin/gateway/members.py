"""The top-level members of a JSON body, each as it was written until somebody needs its value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.errors import RequestError
from tenbin.upstream.loose_json import MEMBERS, without_halves

Members = dict[str, msgspec.Raw]
Kind = tuple[type, str]
"""Of which type a member must be, and what that is called."""

OWN_MEMBER = "tenbin"
"""The gateway's own: never sent on."""
MAX_MEMBERS = 1_000
MAX_WALKED_BYTES = 4 << 20
"""A longer body must be JSON in every respect: reading what is nearly JSON takes ten times as long."""
MAX_VALUES = 300_000
"""What one decoded member may hold: walking over more would keep every other request waiting for seconds."""
_NO_SIGNS = bytes(byte for byte in range(256) if byte not in b',[{"')
"""All but the signs by which values are counted."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def read_members(body: bytes) -> Members:
    """The top-level members of a JSON object; RequestError 400 where the body is none."""
    try:
        if not body.isascii():
            body.decode()
        members = MEMBERS.decode(body)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise _no_object(error) from None
    except msgspec.DecodeError as error:
        if len(body) > MAX_WALKED_BYTES:
            raise _no_object(error) from None
        members = _walked(body)
    if len(members) > MAX_MEMBERS:
        raise RequestError(400, "too_many_members", f"the body has more than {MAX_MEMBERS:,} members", fix="send fewer")
    return members


def _walked(body: bytes) -> Members:
    """The members of what msgspec refuses and providers take: halves of surrogate pairs, and huge numbers."""
    try:
        text = body.decode()
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        if not isinstance(decoder.decode(text), dict):
            raise ValueError("it is another kind of JSON")
        members: Members = {}
        at = text.index("{") + 1
        while text[at := _after_space(text, at)] != "}":
            name, at = decoder.raw_decode(text, at)
            start = _after_space(text, _after_space(text, at) + 1)
            _, end = decoder.raw_decode(text, start)
            members[name.encode().decode()] = msgspec.Raw(text[start:end].encode())
            at = _after_space(text, end)
            at += text[at] == ","
        return members
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _no_object(error) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _after_space(text: str, at: int) -> int:
    while text[at] in " \t\n\r":
        at += 1
    return at


def _no_object(error: Exception) -> RequestError:
    return RequestError(400, "invalid_json", f"the body is no JSON object ({error})", fix="send one")


def _too_deep() -> RequestError:
    return RequestError(400, "invalid_json", "the body is nested too deeply", fix="flatten it")


def rewritten(members: Members, changes: Mapping[str, Any]) -> bytes:
    """The body with some members replaced or added (None: taken out); all others as they were written."""
    result = {name: value for name, value in members.items() if name != OWN_MEMBER}
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(result)


def decoded(members: Members, name: str) -> Any:
    """The value of a member that is there; RequestError 400 where it is too large, too deep or none."""
    raw = members[name]
    if len(raw) > MAX_VALUES and _values(bytes(raw)) > MAX_VALUES:
        what = f"{name} holds more than {MAX_VALUES:,} values"
        raise RequestError(400, "too_many_values", what, param=name, fix="send fewer, larger pieces")
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise RequestError(400, "invalid_json", f"{name} is nested too deeply", param=name) from None
    except msgspec.DecodeError:
        return _leniently(members, name)


def _values(raw: bytes) -> int:
    """About how many values JSON holds; without what stands in texts where it is many."""
    signs = raw.translate(None, _NO_SIGNS)
    quotes = signs.count(b'"')
    found = len(signs) - quotes
    if quotes > 4 * MAX_VALUES:
        quotes -= raw.count(b'\\"')
        if quotes // 2 > 2 * MAX_VALUES:  # at best every other text is a value, the rest are names
            return quotes // 2
    if found > MAX_VALUES:
        found = len(_TEXT.sub(b"", raw).translate(None, _NO_SIGNS))
    return found


def _leniently(members: Members, name: str) -> Any:
    """What msgspec refuses and providers take, huge numbers and halves of surrogate pairs; these as U+FFFD.

    No half goes further than this: neither the ledger nor an answer could be written with it.
    """
    try:
        return json.loads(without_halves(bytes(members[name])))
    except (ValueError, RecursionError):
        what = f"{name} holds a number of thousands of digits, or is nested too deeply"
        raise RequestError(400, "invalid_json", what, param=name, fix="send less") from None


def values_of(members: Members, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The members named in `kinds`, decoded, without those that are null; RequestError 400 for one of another kind."""
    found = {}
    for name in members:
        wanted = kinds.get(name)
        if wanted is None or (value := decoded(members, name)) is None:
            continue
        kind, described = wanted
        if not isinstance(value, kind):
            raise RequestError(400, "invalid_type", f"{name} is not {described}", param=name)
        found[name] = value
    return found
