"""A product in tiles is the product, and a row of it does not know of the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.predictors.rowwise import LARGEST_TILE, Tiled

SHAPES = st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 40))


@given(SHAPES, st.integers(0, 9))
@settings(max_examples=60)
def test_tiles_multiply_like_the_weights_and_give_them_back(shape: tuple[int, int, int], seed: int) -> None:
    n, p, q = shape
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(n, p)), rng.normal(size=(p, q))
    tiled = Tiled.of(weights)
    np.testing.assert_array_equal(tiled.weights, weights)
    np.testing.assert_allclose(tiled.product(x), x @ weights, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("p", "q"), [(285, 320), (925, 16), (33, 16), (3, 3_500), (9_500, 3)])
def test_no_tile_wakes_a_thread_and_no_row_knows_of_the_others(p: int, q: int) -> None:
    rng = np.random.default_rng(1)
    x, tiled = rng.normal(size=(17, p)), Tiled.of(rng.normal(size=(p, q)))
    _, _, rows, width = tiled.tiles.shape
    assert width == 1 or rows * width <= LARGEST_TILE
    alone = np.concatenate([tiled.product(x[i : i + 1]) for i in range(len(x))])
    wider = np.hstack([x, x])
    for found in (tiled.product(x), tiled.product(wider[:, :p]), tiled.product(np.asfortranarray(x))):
        np.testing.assert_array_equal(found, alone)
