"""The embedder check passes what keeps to the door, and catches each way of not keeping to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tenbin.errors import PluginError
from tenbin.protocols import Embedder
from tenbin.testing import check_embedder
from tenbin.types import Float32s


class ByHash:
    """The simplest embedder that keeps to the door: a direction drawn from the hash of the text."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    @property
    def name(self) -> str:
        return f"by-hash-{self.seed}"

    @property
    def dim(self) -> int:
        return 8

    def row(self, text: str) -> Float32s:
        digest = hashlib.sha256(f"{self.seed}{text}".encode("utf-8", "surrogatepass")).digest()
        vector = np.random.default_rng(list(digest)).normal(size=8)
        return (vector / np.linalg.norm(vector) * bool(text.strip())).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Float32s:
        return np.array([self.row(text) for text in texts], dtype=np.float32).reshape(len(texts), 8)

    def save(self) -> dict[str, Any]:
        return {"seed": np.array(self.seed)}

    @classmethod
    def load(cls, arrays: Any) -> ByHash:
        return cls(int(arrays["seed"]))


class Nameless(ByHash):
    name = ""  # type: ignore[assignment]


class WrongDim(ByHash):
    dim = 9  # type: ignore[assignment]


class Doubles(ByHash):
    def embed(self, texts: Sequence[str]) -> Any:
        return super().embed(texts).astype(np.float64)


class Lists(ByHash):
    def embed(self, texts: Sequence[str]) -> Any:
        return super().embed(texts).tolist()


class NotANumber(ByHash):
    def row(self, text: str) -> Float32s:
        return super().row(text) if text.strip() else np.full(8, np.nan, np.float32)


class Long(ByHash):
    def row(self, text: str) -> Float32s:
        return super().row(text) * np.float32(3)


class Flat(ByHash):
    def embed(self, texts: Sequence[str]) -> Float32s:
        return super().embed(texts) if texts else np.zeros(0, np.float32)


class Moody(ByHash):
    def embed(self, texts: Sequence[str]) -> Float32s:
        self.seed += 1
        return super().embed(texts)


class Centred(ByHash):
    def embed(self, texts: Sequence[str]) -> Float32s:
        vectors = super().embed(texts)
        vectors = vectors - vectors.mean(axis=0) if len(texts) else vectors
        return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)


class ByPlace(ByHash):
    def embed(self, texts: Sequence[str]) -> Float32s:
        return super().embed([f"{place}{text}" for place, text in enumerate(texts)])


class Choosy(ByHash):
    def row(self, text: str) -> Float32s:
        if not text:
            raise ValueError("no text")
        return super().row(text)


class Forgetful(ByHash):
    def save(self) -> dict[str, Any]:
        return {"seed": np.array(self.seed + 1)}


class Objects(ByHash):
    def save(self) -> dict[str, Any]:
        return {"seed": np.array([self], dtype=object)}


def test_what_keeps_to_the_door_passes() -> None:
    check_embedder(ByHash(), tolerance=0.0)
    assert isinstance(ByHash(), Embedder)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Nameless, "its name is not a text"),
        (WrongDim, r"gave float32 \(11, 8\); return a float32 array of shape \[n, 9\]"),
        (Doubles, r"gave float64 \(11, 8\)"),
        (Lists, "gave list"),
        (NotANumber, "NaN or infinite parts"),
        (Long, "a vector has the length 3"),
        (Flat, r"embed of no texts gave float32 \(0,\)"),
        (Moody, "the same texts gave other vectors"),
        (Centred, "with the other texts of the batch"),
        (ByPlace, "with the order of texts"),
        (Choosy, r"^embedder 'by-hash-0': it raised \(ValueError: no text\)"),
        (Forgetful, "saved and loaded embeds differently"),
        (Objects, "something else than plain arrays"),
    ],
)
def test_each_fault_is_caught(make: Callable[[], Embedder], sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        check_embedder(make())
