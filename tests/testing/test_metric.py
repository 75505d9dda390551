"""The metric check passes what keeps to the door, and catches each way of not keeping to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from tenbin.errors import DataError, PluginError
from tenbin.protocols import QualityMetric
from tenbin.testing import check_metric


class Metric:
    def __init__(self, name: str, score: Callable[[str, str, str | None], object]) -> None:
        self.name = name
        self.rule = score

    def score(self, query: str, answer: str, reference: str | None) -> float | None:
        return self.rule(query, answer, reference)  # type: ignore[return-value]


def exact(query: str, answer: str, reference: str | None) -> float | None:
    return None if reference is None else float(answer == reference)


def test_what_keeps_to_the_door_passes() -> None:
    metric = Metric("exact", exact)
    check_metric(metric)
    assert isinstance(metric, QualityMetric)


def test_a_plain_function_is_one() -> None:
    """It may stand behind the entry point, and its check was an AttributeError."""
    check_metric(exact)
    with pytest.raises(PluginError, match=r"metric 'too_high': its score is 1\.5"):
        check_metric(too_high)


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [(Metric, "it is a class; check one that is made of it"), (object(), "its name is not a text"), (1, "its name")],
)
def test_what_is_no_metric_is_told(metric: object, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        check_metric(metric)  # type: ignore[arg-type]


def test_a_metric_without_a_score_is_told() -> None:
    nothing = Metric("nothing", exact)
    nothing.score = None  # type: ignore[method-assign, assignment]
    with pytest.raises(PluginError, match="metric 'nothing': it has no method score"):
        check_metric(nothing)


def too_high(query: str, answer: str, reference: str | None) -> float | None:
    return 1.5


def not_a_number(query: str, answer: str, reference: str | None) -> float | None:
    return float("nan")


def yes(query: str, answer: str, reference: str | None) -> float | None:
    return True


def needs_a_reference(query: str, answer: str, reference: str | None) -> float | None:
    return float(answer in reference)  # type: ignore[operator]


def divides(query: str, answer: str, reference: str | None) -> float | None:
    return min(1.0, 1 / len(answer))


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        (Metric("", exact), "its name is not a text"),
        (Metric("m", too_high), "its score is 1.5 for the answer '4'"),
        (Metric("m", not_a_number), "its score is nan"),
        (Metric("m", yes), "its score is True"),
        (Metric("m", needs_a_reference), "it raised TypeError for the answer '4'"),
        (Metric("m", divides), "it raised ZeroDivisionError for the answer ''"),
    ],
)
def test_each_fault_is_caught(metric: Metric, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        check_metric(metric)


def test_a_score_that_changes_is_caught() -> None:
    turns = count()

    def moody(query: str, answer: str, reference: str | None) -> float | None:
        return float(next(turns) % 2)

    with pytest.raises(PluginError, match=r"its score changed from 0\.0 to 1\.0"):
        check_metric(Metric("m", moody))


def test_a_sentence_why_it_cannot_tell_is_no_fault() -> None:
    def picky(query: str, answer: str, reference: str | None) -> float | None:
        raise DataError("the reference is no query")

    check_metric(Metric("picky", picky))
