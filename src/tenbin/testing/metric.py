"""What every quality metric must keep to."""

from __future__ import annotations

import math

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


def check_metric(metric: QualityMetric) -> None:
    """Check a quality metric: a name, and for any answer a float in [0, 1] or None, the same every time.

    A TenbinError counts as None: it says why the metric cannot tell. Raises PluginError.
    """
    of = f"metric {metric.name!r}"
    named = isinstance(metric.name, str) and bool(metric.name)
    require(named, "its name is not a text", of=of, fix="give it a name")
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


def _score(metric: QualityMetric, query: str, answer: str, reference: str | None) -> float | None:
    try:
        return metric.score(query, answer, reference)
    except TenbinError:
        return None
