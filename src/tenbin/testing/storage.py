"""Learnt state through a file and back, as an artifact stores it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tenbin.testing.verdict import require


def stored(arrays: Any, of: str) -> dict[str, Any]:
    """The arrays as they come back from a file without pickled objects."""
    require_plain(arrays, of)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def require_plain(arrays: Any, of: str) -> None:
    """Raise PluginError unless these are plain arrays by name."""
    plain = isinstance(arrays, dict) and all(
        isinstance(key, str) and isinstance(value, np.ndarray) and not value.dtype.hasobject
        for key, value in arrays.items()
    )
    require(plain, "save gave something else than plain arrays by name", of=of, fix="return dict[str, ndarray]")
