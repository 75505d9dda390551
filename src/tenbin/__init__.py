"""Tenbin weighs quality against cost and sends every query to the model of least expected loss.

The public names below are imported when first used, so that `import tenbin` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenbin.errors import TenbinError
    from tenbin.types import Candidate, Decision, Outcome, Panel, Query, TradeOff

__version__ = "0.1.0"

_HOMES = MappingProxyType(
    {
        "Candidate": "tenbin.types",
        "Decision": "tenbin.types",
        "Outcome": "tenbin.types",
        "Panel": "tenbin.types",
        "Query": "tenbin.types",
        "TenbinError": "tenbin.errors",
        "TradeOff": "tenbin.types",
    }
)

__all__ = ["Candidate", "Decision", "Outcome", "Panel", "Query", "TenbinError", "TradeOff", "__version__"]


def __getattr__(name: str) -> Any:
    """The public name from the module that defines it (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tenbin' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
