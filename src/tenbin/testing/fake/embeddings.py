"""/v1/embeddings: unit vectors drawn from the hash of each text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

DIM = 16


def embeddings_answer(body: Mapping[str, Any]) -> bytes:
    """One vector per input, as floats or, where the request says so, as base64 of float32."""
    given = body.get("input", "")
    inputs = given if isinstance(given, list) and not _is_tokens(given) else [given]
    dim = body.get("dimensions") or DIM
    data = []
    for index, text in enumerate(inputs):
        seed = hashlib.sha256(msgspec.json.encode(text)).digest()
        vector = np.random.default_rng(np.frombuffer(seed, np.uint32)).normal(size=dim)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        is_base64 = body.get("encoding_format") == "base64"
        value = base64.b64encode(vector.tobytes()).decode() if is_base64 else vector.tolist()
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(max(1, (len(text) + 3) // 4) if isinstance(text, str) else len(text) for text in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": body.get("model"), "usage": usage})


def _is_tokens(given: list[Any]) -> bool:
    return bool(given) and isinstance(given[0], int)
