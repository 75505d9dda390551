"""How a conformance check fails."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import PluginError


def require(holds: bool, what: str, *, of: str, fix: str) -> None:
    """Raise PluginError unless the demand holds; `of` names the plug-in, `what` is what was seen."""
    if not holds:
        raise PluginError(what, where=of, fix=fix)


def largest_gap(left: NDArray[np.floating[Any]], right: NDArray[np.floating[Any]]) -> float:
    """The largest absolute difference of two arrays; infinite where shapes or NaNs differ."""
    if left.shape != right.shape or not np.array_equal(np.isnan(left), np.isnan(right)):
        return float("inf")
    return float(np.nanmax(np.abs(left - right), initial=0.0))
