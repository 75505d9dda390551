"""HTML as nested calls: whatever is not already `Markup` is escaped, so that no name or prompt can become markup."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, half characters, and the marks that turn a text's direction until they are ended: a name with one
would turn the sentence that it stands in."""
_VOID = frozenset({"br", "hr", "input", "link", "meta"})

Attribute = str | int | float | bool | None


class Markup(str):
    """A piece of HTML that was put together here and needs no further escaping."""

    __slots__ = ()


def text(content: str) -> Markup:
    """`content` as it may stand in an element or a quoted attribute; what is not to be printed is replaced."""
    return content if isinstance(content, Markup) else Markup(escape(printable(content)))


def printable(content: str) -> str:
    """`content` with every character replaced that is not to be printed."""
    return _UNPRINTABLE.sub("\ufffd", content)


def join(*parts: str) -> Markup:
    """The parts one after the other, each escaped unless it is `Markup`."""
    return Markup("".join(text(part) for part in parts))


def el(tag: str, *children: str, **attributes: Attribute) -> Markup:
    """An element; `class_` writes `class`, `aria_label` writes `aria-label`; None and False leave the attribute out."""
    head = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{head}>")
    return Markup(f"<{tag}{head}>{join(*children)}</{tag}>")


def name(content: str) -> Markup:
    """A name from the user's data, isolated so that its script's direction does not turn the line around it."""
    return el("bdi", content)


def data_block(element_id: str, document: object) -> Markup:
    """A JSON document that scripts may read and that no browser runs; numbers keep five significant digits."""
    body = json.dumps(_rounded(document), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(f'<script type="application/json" id="{element_id}">{json_for_html(body)}</script>')


def _rounded(value: Any) -> Any:
    """The document with short numbers: more digits than the intervals can bear would only fill the file."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        short = float(f"{value:.5g}")
        return int(short) if short.is_integer() else short
    return value


def json_for_html(body: str) -> str:
    """JSON text in which nothing can end the element around it."""
    for raw, safe in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        body = body.replace(raw, safe)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", body)


def _attribute(key: str, value: Attribute) -> str:
    label = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {label}"
    return f' {label}="{text(format_number(value) if isinstance(value, float) else str(value))}"'


def format_number(value: float) -> str:
    """A coordinate with at most one decimal: what a screen can show, in few bytes."""
    rounded = f"{value:.1f}"
    return rounded[:-2] if rounded.endswith(".0") else rounded
