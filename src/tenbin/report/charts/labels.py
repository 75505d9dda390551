"""Where the name of a dot may stand: beside, above or below it, wherever nothing else is; nowhere if all is taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from tenbin.report.frame import Frame, text_width

SIZE = 12.0
LONGEST = 26
LONGEST_NARROW = 20
SHORT = 12
"""A name that finds no place at its length is cut to this."""


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

    def distance(self, point: tuple[float, float]) -> float:
        """How far a point lies outside, in pixels."""
        x, y = point
        return math.hypot(max(self.left - x, 0.0, x - self.right), max(self.top - y, 0.0, y - self.bottom))


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


def chart_names(models: Sequence[str], longest: int = LONGEST) -> dict[str, str]:
    """What a chart calls each model, in at most `longest` letters and no two alike.

    The part behind the provider where that tells all of them apart, cut where it is long; names that would be cut alike
    lose what they begin with together. A model that no cut tells from another is left out: a table names it.
    """
    bare = {model: model.rsplit("/", 1)[-1] for model in models}
    if len({*bare.values()}) < len(bare) or not all(bare.values()):
        bare = {model: model for model in models}
    cut = {model: shorten(name, longest) for model, name in bare.items()}
    for written, count in Counter(cut.values()).items():
        if count > 1:
            alike = [model for model in models if cut[model] == written]
            shared = _shared_words([bare[model] for model in alike])
            cut |= {model: shorten(f"…{bare[model][shared:]}", longest) for model in alike}
    times = Counter(cut.values())
    return {model: written for model, written in cut.items() if times[written] == 1}


def _shared_words(names: Sequence[str]) -> int:
    """How many letters all names begin with, in whole words: 1 and 10 begin alike, and are two words."""
    beginning = takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
    return max((k + 1 for k, letters in enumerate(beginning) if not letters[0].isalnum()), default=0)


def place(
    content: str, spot: tuple[float, float], dots: Sequence[tuple[float, float]], taken: Sequence[Box], frame: Frame
) -> Placed | None:
    """The first free place around `spot`; None where each is taken, leaves the plot or is nearer to another dot."""
    width = text_width(content, SIZE)
    for dx, dy, anchor in (
        (9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"), (0, 19, "middle"),
        (7, -7, "start"), (7, 15, "start"), (-7, -7, "end"), (-7, 15, "end"),
        (4, 30, "end"), (4, -24, "end"), (4, 44, "end"), (-4, 30, "start"), (-4, -24, "start"),
    ):  # fmt: skip
        x, y = spot[0] + dx, spot[1] + dy
        left = x - {"start": 0.0, "middle": width / 2.0, "end": width}[anchor]
        box = Box(left, y - SIZE + 1, left + width, y + 3)
        inside = box.left >= frame.left and box.right <= frame.x_end and box.top >= frame.top
        own = box.distance(spot)
        free = not any(box.meets(other) for other in taken) and not any(box.distance(dot) < own for dot in dots)
        if inside and box.bottom <= frame.y_end and free:
            return Placed(content, x, y, anchor, box)
    return None
