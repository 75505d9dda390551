"""The hash is of what is said: pinned, since artifacts and certificates store it, and blind to how it is written."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from tenbin.outcomes.digest import content_hash
from tenbin.types import Query

QUERIES = (Query("1", "二つ目", group="ja"), Query("2", messages=({"role": "user", "content": "é"},)))
CELLS = np.array([[0.5, np.nan], [1.0, 0.0]])


def test_the_hash_is_pinned() -> None:
    assert content_hash(QUERIES, ["小", "big"], ("train", "test"), [CELLS, 2.0 * CELLS]) == (
        "b8c3ccb3cb17ca865eea7ef7fee0ab760b2d9a53c52b2b87d525fcc748660e62"
    )
    assert content_hash(QUERIES, ["小", "big"], None, [CELLS]) == (
        "b38dc159061ca5a02cae239aa944ae50fc843a8c96874f3dcf154cfd7e499b94"
    )


def test_how_a_number_or_a_message_is_written_plays_no_part() -> None:
    said = content_hash(QUERIES, ["m", "n"], None, [CELLS])
    turned = Query("2", messages=(MappingProxyType({"content": "é", "role": "user"}),))
    assert content_hash((QUERIES[0], turned), ["m", "n"], None, [CELLS]) == said
    negative_zero, other_nan = CELLS.copy(), np.array([0xFFF8000000000001], np.uint64).view(np.float64)
    negative_zero[1, 1], negative_zero[0, 1] = -0.0, other_nan[0]
    assert content_hash(QUERIES, ["m", "n"], None, [negative_zero.astype(np.float32).astype(np.float64)]) == said


@pytest.mark.parametrize("models", [["m", "o"], ["n", "m"]])
def test_other_models_are_another_table(models: list[str]) -> None:
    assert content_hash(QUERIES, models, None, [CELLS]) != content_hash(QUERIES, ["m", "n"], None, [CELLS])
