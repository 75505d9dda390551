"""The picture of `rates.py`: a panel per setting, both axes logarithmic, the minimax slope dashed beside the risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenbin.report.markup import Markup, el, format_number, join
from tenbin.report.scale import Scale, logarithmic

PANEL_WIDTH, PANEL_HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 40
LEGEND_HEIGHT = 56
COLOURS = ("#7a8699", "#2f6fb5", "#b5882f", "#c2385a", "#6b9b4a")
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #333a45 }
.grid { stroke: #d8dce3 } .minimax { stroke: #333a45; stroke-dasharray: 5 4; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #d5dae3 } .grid { stroke: #3a4150 } .minimax { stroke: #d5dae3 }
}
"""


def drawn(settings: Sequence[Mapping[str, Any]]) -> str:
    """The SVG of all settings, two panels a row, with one legend."""
    rows = (len(settings) + 1) // 2
    width, height = 2 * PANEL_WIDTH, rows * PANEL_HEIGHT + LEGEND_HEIGHT
    panels = [
        el("g", panel(found), transform=f"translate({PANEL_WIDTH * (i % 2)} {PANEL_HEIGHT * (i // 2)})")
        for i, found in enumerate(settings)
    ]
    legend = el("g", key(list(settings[0]["routers"])), transform=f"translate({LEFT} {rows * PANEL_HEIGHT + 14})")
    picture = el(
        "svg",
        el("style", Markup(STYLE)),
        *panels,
        legend,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label="Excess risk of plug-in routers against training prompts, beside the minimax slope",
    )
    return f"{picture}\n"


def panel(found: Mapping[str, Any]) -> Markup:
    """One setting."""
    sizes, routers = found["sizes"], found["routers"]
    risks = [risk for router in routers.values() for risk in router["risk"]]
    x = logarithmic(sizes[0], sizes[-1], LEFT, PANEL_WIDTH - RIGHT)
    y = logarithmic(min(risks) * 0.8, max(risks) * 1.2, PANEL_HEIGHT - BOTTOM, TOP)
    lines = [
        el("path", d=path(x, y, sizes, router["risk"]), fill="none", stroke=colour, stroke_width=2)
        for router, colour in zip(routers.values(), COLOURS, strict=True)
    ]
    start = next(iter(routers.values()))["risk"][0]
    bound = [start * (n / sizes[0]) ** found["minimax_slope"] for n in sizes]
    title = f"{found['setting']}, margin {found['alpha']:.2f}: minimax slope {found['minimax_slope']:.2f}"
    return join(
        grid(x, y),
        el("text", title, x=LEFT, y=18),
        el("path", d=path(x, y, sizes, bound), class_="minimax"),
        *lines,
    )


def grid(x: Scale, y: Scale) -> Markup:
    """Hairlines and figures of both axes."""
    parts: list[str] = []
    for value in y.ticks(5):
        at = format_number(y(value))
        parts.append(el("path", d=f"M{LEFT} {at}H{PANEL_WIDTH - RIGHT}", class_="grid"))
        parts.append(el("text", f"{value:g}", x=LEFT - 6, y=y(value) + 4, text_anchor="end"))
    for value in x.ticks(6):
        parts.append(el("text", f"{value:g}", x=x(value), y=PANEL_HEIGHT - BOTTOM + 18, text_anchor="middle"))
    return join(*parts)


def path(x: Scale, y: Scale, sizes: Sequence[int], risks: Sequence[float]) -> str:
    """A line through the risks."""
    points = (f"{format_number(x(n))} {format_number(y(risk))}" for n, risk in zip(sizes, risks, strict=True))
    return "M" + "L".join(points)


def key(names: Sequence[str]) -> Markup:
    """Who is which colour."""
    entries: list[str] = []
    for i, (name, colour) in enumerate([*zip(names, COLOURS, strict=True), ("minimax slope", "")]):
        left, top = 260 * (i % 3), 22 * (i // 3)
        style = {"stroke": colour, "stroke_width": 2} if colour else {"class_": "minimax"}
        entries.append(el("path", d=f"M{left} {top}h24", **style))
        entries.append(el("text", name, x=left + 32, y=top + 4))
    return join(*entries)
