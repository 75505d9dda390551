"""Which answers people are shown: as many of each model, spread over the judge's grades, each by a known chance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tenbin.pilot.pair import Key

BANDS = (1 / 3, 2 / 3)
"""Where the judge's grades are cut; answers that it could not grade are a band of their own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer to be labelled, and the probability with which it came among those of its model."""

    key: Key
    propensity: float


def draw(answers: Iterable[tuple[Key, float]], count: int, seed: int) -> list[Shown]:
    """Choose `count` of the answers (key, the judge's grade or NaN), in the order in which they are shown.

    Models share the number evenly. Within a model every answer has the same chance, and the bands of grades get their
    part as exactly as whole numbers allow. The same seed gives the same answers; when more have been bought, most of
    them stay. Whoever stops early has labelled about as many of every model.
    """
    by_model: dict[str, list[tuple[Key, float]]] = {}
    for key, grade in answers:
        by_model.setdefault(key[1], []).append((key, grade))
    taken = _shares({model: len(own) for model, own in by_model.items()}, count, seed)
    drawn = [_of_model(model, own, taken[model], seed) for model, own in by_model.items()]
    rounds = zip_longest(*[sorted(own, key=lambda shown: _lot(seed, "order", *shown.key)) for own in drawn])
    shuffled: list[Shown] = []
    for turn in rounds:
        present = [shown for shown in turn if shown is not None]
        shuffled += sorted(present, key=lambda shown: _lot(seed, "turn", *shown.key))
    return shuffled


def _shares(sizes: dict[str, int], count: int, seed: int) -> dict[str, int]:
    """How many of each model: even, as far as there are that many; who gets one more is drawn by lot."""
    taken = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))
    order = sorted(sizes, key=lambda model: _lot(seed, "share", model))
    while left > 0:
        for model in order:
            if left > 0 and taken[model] < sizes[model]:
                taken[model] += 1
                left -= 1
    return taken


def _of_model(model: str, answers: Sequence[tuple[Key, float]], count: int, seed: int) -> list[Shown]:
    """Whole parts of every band by one random rounding, so that each answer's chance is count / answers."""
    if count == 0:
        return []
    bands: dict[int, list[Key]] = {}
    for key, grade in answers:
        bands.setdefault(_band(grade), []).append(key)
    chance, reached, start = count / len(answers), 0, _lot(seed, "start", model)
    shown: list[Shown] = []
    for band in sorted(bands):
        keys = sorted(bands[band], key=lambda key: _lot(seed, "answer", *key))
        before, reached = reached, reached + len(keys)
        part = _whole(reached * chance + start) - _whole(before * chance + start)
        shown += [Shown(key, chance) for key in keys[:part]]
    return shown


def _whole(value: float) -> int:
    return math.floor(value + 1e-9)


def _band(grade: float) -> int:
    return len(BANDS) + 1 if math.isnan(grade) else sum(grade >= cut for cut in BANDS)


def _lot(seed: int, *of: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and what is drawn for."""
    digest = hashlib.sha256("\x1f".join(map(str, (seed, *of))).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
