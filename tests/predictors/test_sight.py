"""One look for all stacks that see alike: the same with compiled code and without, and no row knows of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.compiled.library import Library, library_fault, open_library
from tenbin.predictors.sight import Look, Sight
from tenbin.predictors.stack import StackPredictor
from tests.predictors.simulated import World, world


def fitted(w: World) -> StackPredictor:
    stack = StackPredictor()
    stack.fit(w.features, w.target, w.weight, w.folds)
    return stack


def sight_of(one: StackPredictor, other: StackPredictor, library: Library | None) -> Sight:
    coefficients = [one.coefficients_, other.coefficients_]
    return Sight(one.design_, one.landmarks_, one.posterior_, coefficients, library)


@pytest.fixture(scope="module")
def library() -> Library:
    found = open_library()
    if found is None or not found.function("tenbin_can_see")():
        pytest.skip(f"there is no compiled code for this processor: {library_fault()}")
    return found


@pytest.fixture(scope="module", params=["compiled", "plain"])
def sight(request: pytest.FixtureRequest) -> Sight:
    stack = fitted(world(300))
    return sight_of(stack, stack, open_library() if request.param == "compiled" else None)


def arrays(look: Look) -> tuple[np.ndarray, ...]:
    return *look.sums, look.variance


@pytest.mark.parametrize("rows", [7, 60, 1000])  # 2, 20 and 320 landmarks
def test_compiled_code_sees_what_numpy_sees(library: Library, rows: int) -> None:
    w = world(rows)
    one, other = fitted(w), fitted(replace(w, target=w.target[:, ::-1].copy()))
    fresh = world(70, seed=1).features
    compiled, plain = (sight_of(one, other, which).look(fresh) for which in (library, None))
    for own, expected in zip(arrays(compiled), arrays(plain), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-11, atol=1e-13)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 39))
def test_no_row_knows_of_the_others(sight: Sight, n: int, first: int) -> None:
    features = world(80, seed=2).features
    some = sight.look(features.take(np.arange(first, first + n)))
    for own, alone in zip(arrays(some), arrays(sight.look(features.take(np.array([first + n - 1])))), strict=True):
        assert own[-1].tobytes() == alone[0].tobytes()


def test_far_from_everything_nothing_is_close(library: Library) -> None:
    stack = fitted(world(300))
    far = world(3, seed=4).features
    far = replace(far, vectors=1e3 * far.vectors)
    compiled, plain = (sight_of(stack, stack, which).look(far) for which in (library, None))
    for own, expected in zip(arrays(compiled), arrays(plain), strict=True):
        assert np.isfinite(own).all()
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-9)
