"""Who gets what share along the dial: a stacked area, the cheapest model at the bottom and palest."""

from __future__ import annotations

from dataclasses import dataclass

from tenbin.report.charts.labels import chart_names
from tenbin.report.edition import Edition
from tenbin.report.frame import Frame, both, label, line, svg, text_width
from tenbin.report.markup import Markup, el, format_number, join
from tenbin.report.scale import Scale, linear

SHOWN = 7
LEAST_SHARE = 0.02
ON_DARK = 0.9
"""The tint from which a name is written in the paper's colour: on a paler band that would have too little contrast."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of the picture: a model, or all the small ones together (`model` None), and its shares on the dial."""

    model: str | None
    shares: tuple[float, ...]
    tint: float


def layers(edition: Edition) -> tuple[Layer, ...]:
    """The bands from the cheapest model to the dearest, each with its tint; models of little share are put together.

    A band of its own have the models that fill most of the picture, not those that answer everything at one setting.
    """
    evaluation = edition.evaluation
    held = {m: [p.shares[m] for p in edition.dial] for m in range(len(evaluation.models))}
    large = sorted((m for m in held if max(held[m]) >= LEAST_SHARE), key=lambda m: (-sum(held[m]), m))[:SHOWN]
    by_cost = sorted(large, key=lambda m: (edition.single(evaluation.models[m]).cost_usd.value, m))
    tints = [0.14 + 0.8 * k / max(len(by_cost) - 1, 1) for k in range(len(by_cost))]
    found = [
        Layer(evaluation.models[m], tuple(p.shares[m] for p in edition.dial), tint)
        for m, tint in zip(by_cost, tints, strict=True)
    ]
    rest = tuple(max(0.0, 1.0 - sum(layer.shares[k] for layer in found)) for k in range(len(edition.dial)))
    if max(rest) > 0.001:
        found.append(Layer(None, rest, 0.0))
    return tuple(found)


def shares(edition: Edition) -> Markup:
    """The stacked area over the settings of the dial, quality on the left, low cost on the right."""
    return both(lambda frame: _draw(edition, frame), 330, 280)


def _draw(edition: Edition, frame: Frame) -> Markup:
    stack = layers(edition)
    count = len(edition.dial)
    x = linear(0.0, float(max(count - 1, 1)), frame.left, frame.x_end)
    y = linear(0.0, 1.0, frame.y_end, frame.top)
    areas: list[str] = []
    names: list[str] = []
    floor = [0.0] * count
    for layer in stack:
        ceiling = [min(1.0, low + share) for low, share in zip(floor, layer.shares, strict=True)]
        upper = [(x(k), y(ceiling[k])) for k in range(count)]
        lower = [(x(k), y(floor[k])) for k in reversed(range(count))]
        areas.append(
            line(
                [*upper, *lower],
                "layer" if layer.model else "layer rest",
                closed=True,
                fill_opacity=f"{layer.tint:.2f}",
            )
        )
        names.append(_name(edition, frame, layer, floor, x, y))
        floor = ceiling
    at = edition.default_setting()
    marker = el(
        "g", el("path", d=f"M0 {frame.top}V{frame.y_end}", class_="marker-line"),
        transform=f"translate({format_number(x(at))} 0)", data_marker=True,
    )  # fmt: skip
    return svg(
        frame, _aria(edition, stack), *areas, _axes(edition, frame, x, y), *names, marker,
        data_dial=";".join(f"{format_number(x(k))},0" for k in range(count)),
    )  # fmt: skip


def _axes(edition: Edition, frame: Frame, x: Scale, y: Scale) -> Markup:
    write, words = edition.numbers.percent, edition.words
    parts: list[str] = []
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(el("path", d=f"M{frame.left} {format_number(y(value))}H{frame.x_end}", class_="grid over"))
        parts.append(label(frame.left - 7, y(value) + 4, write(value, 0), "tick", "end"))
    last = len(edition.dial) - 1
    middle = min(range(len(edition.dial)), key=lambda k: abs(edition.dial[k].mu - 0.5))
    for k, anchor in ((0, "start"), (middle, "middle"), (last, "end")):
        parts.append(el("path", d=f"M{format_number(x(k))} {frame.y_end}v5", class_="axis"))
        parts.append(label(x(k), frame.y_end + 19, f"μ = {edition.numbers.mu(edition.dial[k].mu)}", "tick", anchor))
    parts.append(label(0, 13, words("shares.y"), "axis-title"))
    parts.append(label(frame.left, frame.height - 6, words("shares.x_left"), "axis-title"))
    parts.append(label(frame.x_end, frame.height - 6, words("shares.x_right"), "axis-title", "end"))
    return join(*parts)


def _name(edition: Edition, frame: Frame, layer: Layer, floor: list[float], x: Scale, y: Scale) -> Markup:
    """The name inside the band where it is thickest, if it fits there."""
    names = chart_names(edition.evaluation.models, 24)
    content = names.get(layer.model, "") if layer.model else edition.words("shares.rest")
    half = text_width(content) / 2.0
    fitting = [k for k in range(len(floor)) if frame.left + half + 6 <= x(k) <= frame.x_end - half - 6]
    if not content or not fitting:
        return Markup("")
    middle = {k: floor[k] + layer.shares[k] / 2.0 for k in range(len(floor))}
    step = (frame.x_end - frame.left) / max(len(floor) - 1, 1)
    around = round(half / step)

    def room(k: int) -> float:
        """How far the band reaches above and below its middle at k, over the whole width of the name."""
        near = range(max(0, k - around), min(len(floor), k + around + 1))
        return min(min(floor[j] + layer.shares[j] - middle[k], middle[k] - floor[j]) for j in near)

    rooms = {k: room(k) for k in fitting}
    most = max(rooms.values())
    if y(0.0) - y(max(most, 0.0)) < 8.0:
        return Markup("")
    widest = [k for k in fitting if rooms[k] >= most - 1e-9]
    k = widest[len(widest) // 2]
    kind = "layer-name on-dark" if layer.tint > ON_DARK else "layer-name"
    return label(x(k), y(middle[k]) + 4, content, kind, "middle")


def _aria(edition: Edition, stack: tuple[Layer, ...]) -> str:
    at = edition.default_setting()
    told = [
        f"{layer.model or edition.words('shares.rest')} {edition.numbers.percent(layer.shares[at], 0)}"
        for layer in stack
    ]
    return edition.words("shares.aria", mu=edition.numbers.mu(edition.dial[at].mu), shares=", ".join(told))
