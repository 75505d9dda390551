from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import DataError
from tenbin.online.labels import labels_of
from tenbin.prices import PriceBook
from tenbin.router.router import Router
from tenbin.types import Panel
from tests.router.made import make_panel

PRICE = PriceBook.loads("[models.fresh]\ninput_usd_per_mtok = 0.2\noutput_usd_per_mtok = 0.6\n")
TRAIN = make_panel()


def made_panel() -> Panel:
    """Answers to a prompt that training lacked, to its eighth, its first and a copy of the eighth; one more failed."""
    first, eighth = TRAIN.queries[0], TRAIN.queries[7]
    queries = (replace(first, query_id="new", prompt="never asked"), eighth, first, replace(eighth, query_id="copy"))
    cells = {
        "quality": [0.5, 1.0, 0.25, 0.0, np.nan],
        "input_tokens": [10.0, 20.0, 30.0, np.nan, np.nan],
        "output_tokens": [100.0, 200.0, 300.0, 400.0, np.nan],
        "cost_usd": [np.nan, np.nan, 0.25, np.nan, np.nan],
        "latency_s": [1.0, np.nan, np.nan, 3.0, 9.0],
        "label_propensity": [0.5, 0.25, np.nan, 0.25, 1.0],
    }
    columns = {name: np.array(values)[:, None] for name, values in cells.items()}
    return Panel((*queries, replace(first, query_id="failed", prompt="nor this")), ("fresh",), **columns)


def test_labels_worked_by_hand(router: Router) -> None:
    found = labels_of(router, made_panel(), "fresh")
    assert [query.query_id for query in found.queries] == ["new", TRAIN.queries[7].query_id, TRAIN.queries[0].query_id]
    assert found.rows.tolist() == [-1, 7, 0]
    assert found.quality.tolist() == [0.5, 0.5, 0.25]
    assert found.input_tokens.tolist() == [10.0, 20.0, 30.0]
    assert found.output_tokens.tolist() == [100.0, 300.0, 300.0]
    assert found.latency_s == pytest.approx([1.0, 3.0, np.nan], nan_ok=True)
    assert found.weight.tolist() == [2.0, 4.0, 1.0]
    assert found.answers.tolist() == [1, 2, 1]
    assert found.dollars(PRICE, "fresh") == pytest.approx([62e-6, 184e-6, 0.25])
    column = found.observed(300)
    for name in ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s"):
        told = {7: getattr(found, name)[1], 0: getattr(found, name)[2]}
        expected = np.array([told.get(row, np.nan) for row in range(300)])[:, None]
        np.testing.assert_array_equal(getattr(column, name), expected)
    assert (column.weight == 1.0).all()


def test_what_is_held_out_is_learnt_from_where_the_router_has_seen_it(router: Router) -> None:
    panel = replace(made_panel(), split=("test", "calibration", "test", "test", "train"))
    assert labels_of(router, panel, "fresh").rows.tolist() == [7, 0]
    nobody = replace(panel, quality=np.full((5, 1), np.nan))
    for table, name, fix in ((panel, "other", "models there: fresh"), (nobody, "fresh", "of its answers")):
        with pytest.raises(DataError) as refused:
            labels_of(router, table, name)
        assert fix in str(refused.value.fix)
