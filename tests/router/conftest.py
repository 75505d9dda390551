"""One router for the tests of this room."""

from __future__ import annotations

import pytest

from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tests.router.made import PRICES, make_panel


@pytest.fixture(scope="session")
def prices() -> PriceBook:
    return PriceBook.loads(PRICES)


@pytest.fixture(scope="session")
def router(prices: PriceBook) -> Router:
    return fit(make_panel(latency=True), prices, FitSettings(embedder="base", groups=False))
