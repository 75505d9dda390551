"""Where the name of a dot may stand: beside, above or below it, wherever nothing else is; nowhere if all is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenbin.report.frame import Frame, text_width

SIZE = 12.0
LONGEST = 26


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two share any point."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with its anchor point and the rectangle it fills."""

    content: str
    x: float
    y: float
    anchor: str
    box: Box


def shorten(content: str, longest: int = LONGEST) -> str:
    """A name cut in its middle when it is long: both ends of a model's name tell it apart."""
    if len(content) <= longest:
        return content
    half = (longest - 1) // 2
    return f"{content[:half]}…{content[-half:]}"


def chart_names(models: Sequence[str]) -> dict[str, str]:
    """What a chart calls each model: the part behind the provider where that tells all of them apart."""
    bare = {model: model.rsplit("/", 1)[-1] for model in models}
    return bare if len({*bare.values()}) == len(bare) and all(bare.values()) else {model: model for model in models}


def place(content: str, spot: tuple[float, float], taken: Sequence[Box], frame: Frame) -> Placed | None:
    """The first free place around `spot`, or None where every one is taken or leaves the plot."""
    short = shorten(content, LONGEST if frame.kind == "wide" else 20)
    width = text_width(short, SIZE)
    for dx, dy, anchor in (
        (9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"), (0, 19, "middle"),
        (7, -7, "start"), (7, 15, "start"), (-7, -7, "end"), (-7, 15, "end"),
        (4, 30, "end"), (4, -24, "end"), (4, 44, "end"), (-4, 30, "start"), (-4, -24, "start"),
    ):  # fmt: skip
        x, y = spot[0] + dx, spot[1] + dy
        left = x - {"start": 0.0, "middle": width / 2.0, "end": width}[anchor]
        box = Box(left, y - SIZE + 1, left + width, y + 3)
        inside = box.left >= frame.left and box.right <= frame.x_end and box.top >= frame.top
        if inside and box.bottom <= frame.y_end and not any(box.meets(other) for other in taken):
            return Placed(short, x, y, anchor, box)
    return None
