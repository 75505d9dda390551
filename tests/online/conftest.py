"""One router for the tests of this room."""

from __future__ import annotations

import pytest

from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tests.router.made import PRICES, make_panel


@pytest.fixture(scope="session")
def router() -> Router:
    return fit(make_panel(), PriceBook.loads(PRICES), FitSettings(embedder="base", groups=False, learning_curve=False))
