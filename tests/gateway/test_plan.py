"""Stored decisions, as they are read again."""

from __future__ import annotations

import base64

import msgspec
import numpy as np
import pytest

from tenbin.gateway.plan import read_document
from tenbin.router.weighing import FIGURES


@pytest.mark.parametrize(("form", "plan"), [(1, ["good", "cheap"]), (2, [1, 0])])
def test_a_plan_of_names_reads_as_one_of_places(form, plan):
    figures = np.arange(2.0 * len(FIGURES), dtype="<f4").reshape(len(FIGURES), 2)
    document = {
        "format": form,
        "decision_id": "dec_1",
        "model": "good",
        "code": "least_loss",
        "plan": plan,
        "trade_off": [0.3, 0.0, 0.0, False],
        "models": ["cheap", "good"],
        "barred": {},
        "figures": base64.b64encode(figures.tobytes()).decode(),
    }
    read = read_document(msgspec.json.encode(document))
    assert read["plan"] == ["good", "cheap"]
    assert [candidate["model"] for candidate in read["candidates"]] == ["good", "cheap"]
    assert [candidate["quality"] for candidate in read["candidates"]] == [1.0, 0.0]
