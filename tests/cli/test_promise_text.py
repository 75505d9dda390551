"""What a setting promises, in a sentence that is true where it saves, where it costs more, and where nothing costs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from tenbin.cli.evaluate_text import signed
from tenbin.cli.fit_text import PROMISE, promise_text
from tenbin.cli.output import TEXTS, number
from tenbin.cli.promise_text import promise_cells, promise_line
from tenbin.evaluate.promise import Promise
from tenbin.report.catalogue import load_catalogue
from tenbin.types import Figure

ROUTER: Any = SimpleNamespace(
    anchors=SimpleNamespace(reference="cheap"), manifest=SimpleNamespace(n_train=250)
)  # what a sentence reads of a router
FREE = Figure(math.nan, math.nan, math.nan)


def promise(saving: Figure) -> Promise:
    return Promise(Figure(0.8, 0.7, 0.9), Figure(0.002, 0.001, 0.003), Figure(1.197, 1.117, 1.309), saving)


@pytest.mark.parametrize(
    ("saving", "en", "ja"),
    [
        (Figure(0.4, 0.3, 0.5), "saves 40.0% [30.0%, 50.0%] of its cost", "費用を 40.0% [30.0%, 50.0%] 削減"),
        (Figure(-3.05, -3.5, -2.6), "at 4.05 [3.60, 4.50] times its cost", "費用は 4.05 [3.60, 4.50] 倍"),
        (Figure(-7e-16, -7e-3, 7e-3), "saves 0.0% [-0.7%, 0.7%] of its cost", "費用を 0.0% [-0.7%, 0.7%] 削減"),
        (FREE, "cheap is free, so nothing can be saved", "cheap は無料"),
    ],
)
def test_a_setting_saves_or_costs_more_or_has_nothing_to_save(saving: Figure, en: str, ja: str) -> None:
    for lang, said in (("en", en), ("ja", ja)):
        line = promise_line(promise(saving), ROUTER, load_catalogue(lang, TEXTS))
        assert said in line
        assert "119.7% [111.7%, 130.9%]" in line
        assert "–" not in line


def test_nothing_saved_has_no_sign() -> None:
    """A mean that is summed in another order is off by its last bit: -0.0% stood beside 0.0%."""
    assert promise_cells(promise(Figure(-7e-16, -7e-3, 7e-3)))[2] == "0.0% [-0.7%, 0.7%]"
    assert (number(-1e-9), signed(-1e-9)) == ("0.000", "+0.0000")


@pytest.mark.parametrize(("lang", "said"), [("en", "cheap itself is free"), ("ja", "cheap 自体が無料")])
def test_a_fit_says_that_a_free_reference_leaves_nothing_to_save(lang: str, said: str) -> None:
    found: Any = SimpleNamespace(promises={PROMISE: promise(FREE)}, reached=1.0)
    text = promise_text("cheap", found, load_catalogue(lang, TEXTS))
    assert said in text.splitlines()[0]
    assert "$2.00" in text.splitlines()[0]
