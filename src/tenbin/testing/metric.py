"""What every quality metric must keep to."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import isfunction
from typing import Any

from tenbin.errors import PluginError, TenbinError
from tenbin.protocols import QualityMetric
from tenbin.testing.verdict import require

CASES = (
    ("What is 2 + 2?", "4", "4"),
    ("What is 2 + 2?", "5", "4"),
    ("What is 2 + 2?", "4", None),
    ("What is 2 + 2?", "", "4"),
    ("", "", ""),
    ("日本の首都は?", "東京です。", "東京"),
    ("Return JSON.", '{"a": [1, 2', '{"a": [1, 2]}'),
    ("Say it.", "\x00\u202e👩‍👧", "x"),
    ("Say it often.", "word " * 20_000, "word"),
)
"""Query, answer, reference: right, wrong, without a reference, empty, another script, broken, odd, long."""


Score = Callable[[str, str, str | None], float | None]


def check_metric(metric: QualityMetric | Score) -> None:
    """Check a quality metric: a name, and for any answer a float in [0, 1] or None, the same every time.

    A plain function of query, answer and reference is one, too. A TenbinError counts as None: it says why the metric
    cannot tell. Raises PluginError.
    """
    is_plain = isfunction(metric)
    name: Any = getattr(metric, "__name__" if is_plain else "name", "")
    score: Any = metric if is_plain else getattr(metric, "score", None)
    of = f"metric {name!r}"
    require(not isinstance(metric, type), "it is a class", of=of, fix="check one that is made of it")
    require(isinstance(name, str) and bool(name), "its name is not a text", of=of, fix="give it a name")
    require(callable(score), "it has no method score", of=of, fix="give it one, or check the function itself")
    _check_scores(score, of)


def _check_scores(metric: Score, of: str) -> None:
    for query, answer, reference in CASES:
        case = f"for the answer {answer[:20]!r} to {query!r}"
        try:
            score = _score(metric, query, answer, reference)
            again = _score(metric, query, answer, reference)
        except Exception as error:  # whatever other people's code raises is the finding
            fix = "return None where it cannot tell"
            raise PluginError(f"it raised {type(error).__name__} {case}", where=of, fix=fix) from error
        legal = score is None or (isinstance(score, float) and math.isfinite(score) and 0.0 <= score <= 1.0)
        require(legal, f"its score is {score!r} {case}", of=of, fix="return a float in [0, 1], or None")
        require(score == again, f"its score changed from {score!r} to {again!r} {case}", of=of, fix="be deterministic")


def _score(metric: Score, query: str, answer: str, reference: str | None) -> float | None:
    try:
        return metric(query, answer, reference)
    except TenbinError:
        return None
