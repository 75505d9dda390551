"""A light pretrained embedder: averaged token vectors of the package `wordllama`, whose wheel carries its weights.

Mostly English. The package looks on a model hub unless told where its own files are; here it never does.
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

_DIM = 256


class WordLlamaEmbedder:
    """256 columns, about 0.3 ms a prompt on one core, no network; needs `pip install "tenbin[light]"`."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("wordllama")
        if spec is None or spec.origin is None:
            raise MissingExtraError(
                "the embedder `wordllama` needs the package wordllama", fix='run: pip install "tenbin[light]"'
            )
        self._folder = Path(spec.origin).parent

    @cached_property
    def name(self) -> str:
        """`wordllama-256-HASH` of the packaged weights and tokenizer."""
        files = [*self._folder.glob("weights/*_256.safetensors"), *self._folder.glob("tokenizers/*.json")]
        return f"wordllama-{_DIM}-{weights_hash(files)}"

    @property
    def dim(self) -> int:
        """Columns of the vectors."""
        return _DIM

    @cached_property
    def _model(self) -> Any:
        from wordllama import WordLlama

        return WordLlama.load(dim=_DIM, cache_dir=self._folder, disable_download=True)

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, 256]; texts go one by one, since padding would change last bits."""
        raw = np.zeros((len(texts), _DIM), np.float32)
        for i, text in enumerate(texts):
            if text.strip():
                raw[i] = self._model.embed([text.encode("utf-8", "replace").decode()])[0]
        return unit_vectors(raw)


__all__ = ["WordLlamaEmbedder"]
