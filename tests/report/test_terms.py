"""What the page explains is what is computed."""

from __future__ import annotations

import math
import re

import pytest

from tenbin.evaluate.metrics import arena_score
from tenbin.reasons import LANGUAGES
from tenbin.report.catalogue import load_catalogue


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_score_of_routerarena_is_explained_as_it_is_computed(lang: str) -> None:
    top, part, _, most, *_, dear, _, cheap = map(
        float, re.findall(r"\d+(?:\.\d+)?", load_catalogue(lang)("term.arena_is").split("1,000")[0])
    )
    usd, quality = 0.00206, 0.6721
    cheapness = math.log(dear / (1000.0 * usd)) / math.log(dear / cheap)
    score = top * quality * cheapness / (part * quality + cheapness)
    assert score == pytest.approx(arena_score(quality, usd))
    assert score < most
