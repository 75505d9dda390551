"""The paper of a chart: its size, its margins, and the axes that every chart shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tenbin.report.markup import Attribute, Markup, el, format_number, join
from tenbin.report.scale import Scale, tick_decimals

Y_TICKS = 6
BETWEEN_TICKS = 8.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Width and height of an SVG in pixels, and the margins around the plot; `kind` is "wide" or "narrow"."""

    kind: str
    width: int
    height: int
    left: int = 46
    right: int = 16
    top: int = 30
    bottom: int = 46

    @property
    def x_end(self) -> int:
        """The right end of the plot."""
        return self.width - self.right

    @property
    def y_end(self) -> int:
        """The lower end of the plot."""
        return self.height - self.bottom


def wide(height: int = 400) -> Frame:
    """The frame for a desk."""
    return Frame("wide", 860, height)


def narrow(height: int = 320) -> Frame:
    """The frame for a phone, drawn at its own size so that the letters stay legible."""
    return Frame("narrow", 340, height, right=10)


def both(draw: Callable[[Frame], Markup], wide_height: int, narrow_height: int) -> Markup:
    """A chart for a desk and for a phone; the style sheet shows one of them."""
    return join(draw(wide(wide_height)), draw(narrow(narrow_height)))


def svg(frame: Frame, label: str, *shapes: str, **attributes: str) -> Markup:
    """An SVG picture with its description for those who do not see it."""
    return el(
        "svg",
        *shapes,
        viewBox=f"0 0 {frame.width} {frame.height}",
        role="img",
        aria_label=label,
        class_=f"chart {frame.kind}",
        **attributes,
    )


def line(
    points: Sequence[tuple[float, float]], class_: str, *, closed: bool = False, **attributes: Attribute
) -> Markup:
    """A path through points in pixels."""
    body = "L".join(f"{format_number(x)} {format_number(y)}" for x, y in points)
    return el("path", d=f"M{body}{'Z' if closed else ''}", class_=class_, **attributes)


def label(x: float, y: float, content: str, class_: str, anchor: str = "start") -> Markup:
    """A word in a chart."""
    return el("text", content, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def axes(
    frame: Frame,
    x: Scale,
    y: Scale,
    *,
    x_title: str,
    y_title: str,
    x_write: Callable[[float, int], str],
    y_write: Callable[[float, int], str],
) -> Markup:
    """Hairlines and figures of both axes; the titles stand above the plot (y) and below it (x).

    `x_write` and `y_write` are given a tick and the decimals with which all ticks of the axis are exact. A figure below
    the plot that would stand on its neighbour is left out.
    """
    x_ticks = x.ticks(7 if frame.kind == "wide" else 4)
    y_ticks = y.ticks(Y_TICKS)
    x_decimals, y_decimals = tick_decimals(x_ticks), tick_decimals(y_ticks)
    parts: list[str] = []
    for value in y_ticks:
        at = y(value)
        parts.append(el("path", d=f"M{frame.left} {format_number(at)}H{frame.x_end}", class_="grid"))
        parts.append(label(frame.left - 7, at + 4, y_write(value, y_decimals), "tick", "end"))
    parts.append(el("path", d=f"M{frame.left} {frame.y_end}H{frame.x_end}", class_="axis"))
    free_from = -math.inf
    for value in x_ticks:
        at, written = x(value), x_write(value, x_decimals)
        anchor, width = _anchor(frame, at), text_width(written)
        begins = at - (width if anchor == "end" else width / 2.0)
        parts.append(el("path", d=f"M{format_number(at)} {frame.y_end}v5", class_="axis"))
        if begins >= free_from:
            parts.append(label(at, frame.y_end + 19, written, "tick", anchor))
            free_from = begins + width + BETWEEN_TICKS
    parts.append(label(0, 13, y_title, "axis-title"))
    parts.append(label(frame.x_end, frame.height - 6, x_title, "axis-title", "end"))
    return join(*parts)


def with_room(frame: Frame, y: Scale, y_write: Callable[[float, int], str]) -> Frame:
    """The frame with a left margin that holds the figures of the y axis."""
    ticks = y.ticks(Y_TICKS)
    widest = max((text_width(y_write(value, tick_decimals(ticks))) for value in ticks), default=0.0)
    return replace(frame, left=max(frame.left, math.ceil(widest) + 12))


def text_width(content: str, size: float = 12.0) -> float:
    """About how wide a word will be, in pixels; letters beyond Latin count as full width."""
    return sum(size if ord(letter) > 0x2E7F else size * 0.56 for letter in content)


def _anchor(frame: Frame, at: float) -> str:
    return "end" if at > frame.x_end - 8 else "middle"
