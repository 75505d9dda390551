"""What one request asks for on top of its profile: `tenbin` in the body, or `x-tenbin-*` headers (docs: dials.md)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenbin.config.values import shown
from tenbin.errors import RequestError, did_you_mean

FIELDS = ("mu", "min_quality", "max_cost_usd", "allow", "deny", "group")
HEADERS: Mapping[str, str] = {
    "mu": "x-tenbin-mu",
    "min_quality": "x-tenbin-min-quality",
    "max_cost_usd": "x-tenbin-max-cost-usd",
    "allow": "x-tenbin-allow",
    "deny": "x-tenbin-deny",
    "group": "x-tenbin-group",
}
IN_HEADERS = frozenset(HEADERS.values())
LISTS = ("allow", "deny")
LONGEST_TEXT = 256
"""Names longer than this are not looked up, let alone repeated or compared."""
MOST_NAMES = 256
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """The dials of one request, None where nothing is asked; `in_headers` names the fields that came as headers."""

    mu: float | None = None
    min_quality: float | None = None
    max_cost_usd: float | None = None
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    group: str | None = None
    in_headers: frozenset[str] = frozenset()

    @property
    def is_nothing(self) -> bool:
        """Whether the profile is to be served as it is."""
        return self is NOTHING or self == NOTHING

    def param(self, field: str) -> str:
        """The field as the client wrote it: `tenbin.mu` or `x-tenbin-mu`."""
        return HEADERS[field] if field in self.in_headers else f"tenbin.{field}"


NOTHING = Asked()


def asked_of(body: Any, headers: Mapping[str, str]) -> Asked:
    """What a request asks for: `body` is its decoded member `tenbin` (None: absent), `headers` have lower-case names.

    Raises RequestError (400, invalid_dial) for an unknown member, a wrong type or range, two dials for one thing, and
    a header that says something else than the body.
    """
    if body is None and IN_HEADERS.isdisjoint(headers):
        return NOTHING
    if body is not None and not isinstance(body, dict):
        raise invalid("tenbin is not an object", "tenbin", 'write it as {"tenbin": {"mu": 0.2}}')
    said: dict[str, Any] = {}
    for field, value in (body or {}).items():
        if field not in FIELDS:
            near = did_you_mean(field, FIELDS) if len(field) <= LONGEST_TEXT else None
            raise invalid(
                f"unknown member {_shown(field)} in tenbin",
                f"tenbin.{field[:LONGEST_TEXT]}",
                near or f"known: {', '.join(FIELDS)}",
            )
        if value is not None:
            said[field] = _checked(field, value, f"tenbin.{field}")
    in_headers = set()
    for field, header in HEADERS.items():
        raw = headers.get(header)
        if raw is None:
            continue
        value = _checked(field, _from_header(field, raw), header)
        if field not in said:
            said[field] = value
            in_headers.add(field)
        elif said[field] != value and not (field in LISTS and set(said[field]) == set(value)):
            raise invalid(f"{header} and tenbin.{field} of the body differ", header, "give one of them")
    if not said:
        return NOTHING
    asked = Asked(**said, in_headers=frozenset(in_headers))
    if asked.mu is not None and asked.min_quality is not None:
        what = f"{asked.param('mu')} and {asked.param('min_quality')} are two dials for one thing"
        raise invalid(what, asked.param("min_quality"), "give one of them")
    return asked


def invalid(what: str, param: str, fix: str) -> RequestError:
    """The refusal of what makes no sense."""
    return RequestError(400, "invalid_dial", what, param=param, fix=fix)


def _from_header(field: str, raw: str) -> Any:
    """The value that a header's text stands for; text that is no number is handed back to be refused."""
    if field in LISTS:
        return [name.strip() for name in raw.split(",")]
    if field == "group":
        return raw.strip()
    return float(raw) if _DECIMAL.fullmatch(raw.strip()) else raw


def _checked(field: str, value: Any, param: str) -> Any:
    if field in LISTS:
        if not isinstance(value, list) or not value or len(value) > MOST_NAMES or not all(map(_is_text, value)):
            raise invalid(f"{param} is not a list of 1 to {MOST_NAMES} candidates", param, 'write it as ["a", "b"]')
        return tuple(value)
    if field == "group":
        if not _is_text(value):
            raise invalid(f"{param} is not a text of 1 to {LONGEST_TEXT} characters", param, "name the group")
        return value
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e15 else math.nan
    if isinstance(value, bool):
        number = math.nan
    if field == "mu" and not 0.0 <= number <= 1.0:
        raise invalid(f"{param} = {_shown(value)} is not a number from 0 to 1", param, "give e.g. 0.2")
    if field == "min_quality" and not 0.0 < number <= 2.0:
        what = f"{param} = {_shown(value)} is not a share of the reference's quality, above 0 and at most 2"
        raise invalid(what, param, "give e.g. 0.97")
    if field == "max_cost_usd" and not number > 0.0:
        raise invalid(f"{param} = {_shown(value)} is not a number of dollars above 0", param, "give e.g. 0.002")
    return number


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_TEXT


def _shown(value: Any) -> str:
    """A short form: whole objects and long texts are named, not repeated."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return shown(value)
