"""The hash of what a panel says, whatever file it came from and in whatever order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from tenbin.types import Floats, Query


def content_hash(
    queries: Sequence[Query], models: Sequence[str], split: Sequence[str] | None, arrays: Sequence[Floats]
) -> str:
    """SHA-256 (hex) over queries in order, models, splits and the arrays [n, M].

    Numbers count to single precision, so that a FLOAT column of Parquet and its CSV copy agree.
    """
    digest = hashlib.sha256(json.dumps(list(models), ensure_ascii=False).encode("utf-8"))
    for row, query in enumerate(queries):
        told = [query.query_id, query.prompt, query.messages, query.group, None if split is None else split[row]]
        digest.update(json.dumps(told, ensure_ascii=False, sort_keys=True, default=dict).encode("utf-8") + b"\n")
    for array in arrays:
        # Adding 0.0 turns -0.0 into 0.0; every NaN gets the same bits.
        single = np.where(np.isnan(array), np.nan, array + 0.0).astype("<f4")
        digest.update(np.ascontiguousarray(single).tobytes())
    return digest.hexdigest()
