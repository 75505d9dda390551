"""Tenbin weighs quality against cost and sends every query to the model of least expected loss.

The public names below are imported when first used, so that `import tenbin` costs next to nothing. `evaluate_router`
is `tenbin.evaluate.evaluate`: the room of that name keeps the short one.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenbin.errors import TenbinError
    from tenbin.evaluate.evaluation import evaluate as evaluate_router
    from tenbin.outcomes.read import read_outcomes
    from tenbin.prices.book import PriceBook
    from tenbin.router.fit import FitSettings, fit
    from tenbin.router.router import Router
    from tenbin.types import Candidate, Decision, Outcome, Panel, Query, TradeOff

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "Decision",
    "FitSettings",
    "Outcome",
    "Panel",
    "PriceBook",
    "Query",
    "Router",
    "TenbinError",
    "TradeOff",
    "__version__",
    "evaluate_router",
    "fit",
    "read_outcomes",
]

_HOMES = MappingProxyType(
    {
        "Candidate": ("tenbin.types", "Candidate"),
        "Decision": ("tenbin.types", "Decision"),
        "FitSettings": ("tenbin.router.fit", "FitSettings"),
        "Outcome": ("tenbin.types", "Outcome"),
        "Panel": ("tenbin.types", "Panel"),
        "PriceBook": ("tenbin.prices.book", "PriceBook"),
        "Query": ("tenbin.types", "Query"),
        "Router": ("tenbin.router.router", "Router"),
        "TenbinError": ("tenbin.errors", "TenbinError"),
        "TradeOff": ("tenbin.types", "TradeOff"),
        "evaluate_router": ("tenbin.evaluate.evaluation", "evaluate"),
        "fit": ("tenbin.router.fit", "fit"),
        "read_outcomes": ("tenbin.outcomes.read", "read_outcomes"),
    }
)


def __getattr__(name: str) -> Any:
    """The public name from the module that defines it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tenbin' has no attribute {name!r}")
    home, attribute = _HOMES[name]
    return getattr(import_module(home), attribute)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
