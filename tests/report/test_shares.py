"""Names on the bands of the shares can be read on every tint."""

from __future__ import annotations

import re

import pytest

from tenbin.report.catalogue import load_catalogue
from tenbin.report.charts.shares import ON_DARK, SHOWN, layers
from tenbin.report.edition import Edition
from tenbin.report.numbers import Numbers
from tenbin.report.sheet import resource
from tests.report.made import make_evaluation


def colour(name: str, scheme: int) -> list[float]:
    """The red, green and blue of a variable of the style sheet, 0 to 1: the light scheme's or the dark one's."""
    digits = re.findall(rf"--{name}: #([0-9a-f]{{6}})", resource("style.css"))[scheme]
    return [int(digits[k : k + 2], 16) / 255.0 for k in (0, 2, 4)]


def luminance(shade: list[float]) -> float:
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in shade)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1])
def test_names_in_the_colour_of_the_paper_stand_on_bands_that_are_dark_enough(scheme: int) -> None:
    models = [f"model-{k}" for k in range(SHOWN)]
    edition = Edition(make_evaluation(models), load_catalogue("en"), Numbers("en"))
    paper, accent = colour("paper", scheme), colour("accent", scheme)
    tints = [layer.tint for layer in layers(edition) if layer.model and layer.tint > ON_DARK]
    assert tints
    for tint in tints:
        band = luminance([tint * a + (1.0 - tint) * p for a, p in zip(accent, paper, strict=True)])
        lighter, darker = max(band, luminance(paper)), min(band, luminance(paper))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
