"""What is saved at a quality: told apart are what is out of reach and what costs nothing anyway."""

from __future__ import annotations

import dataclasses

import pytest

from tenbin.report import render_report
from tenbin.types import UNKNOWN, Figure
from tests.report.made import make_evaluation
from tests.report.reading import Page


@pytest.mark.parametrize(("cost_usd", "unreached"), [(0.0, 0), (0.01, 2)])
def test_where_the_best_model_is_free_nothing_is_saved_and_nothing_out_of_reach(
    cost_usd: float, unreached: int
) -> None:
    full = make_evaluation()
    best = next(single for single in full.singles if single.model == full.best_single)
    priced = dataclasses.replace(best, cost_usd=Figure(cost_usd, cost_usd, cost_usd))
    untold = dataclasses.replace(full.savings[0], cost_usd=UNKNOWN, saving=UNKNOWN, zero_saving=UNKNOWN)
    singles = tuple(priced if single is best else single for single in full.singles)
    evaluation = dataclasses.replace(full, singles=singles, savings=(untold,))
    assert Page(render_report(evaluation)).text().count("not reached") == unreached
