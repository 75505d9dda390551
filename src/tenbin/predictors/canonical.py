"""One order for the same rows, however they came: sums and random draws then do not depend on the file's order."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from tenbin.types import Features, Floats, Ints


def canonical_order(features: Features, target: Floats) -> Ints:
    """The permutation [n] that sorts rows by a hash of their features and targets."""
    keys = []
    for vector, surface, group, row in zip(
        np.ascontiguousarray(features.vectors),
        np.ascontiguousarray(features.surface),
        features.groups,
        np.ascontiguousarray(target, dtype=np.float64),
        strict=True,
    ):
        digest = blake2b(vector.tobytes(), digest_size=16)
        digest.update(surface.tobytes())
        digest.update((group or "").encode("utf-8", "surrogatepass"))
        keys.append(digest.digest() + np.sort(row).tobytes())
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
