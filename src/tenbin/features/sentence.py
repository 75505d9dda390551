"""A sentence-transformers model from a local folder or from that package's own cache; nothing is downloaded."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenbin.errors import MissingExtraError, UsageError
from tenbin.features.unit_vectors import unit_vectors
from tenbin.features.weights_hash import weights_hash
from tenbin.types import Float32s

WEIGHT_SUFFIXES = frozenset({".safetensors", ".bin", ".onnx", ".json", ".txt", ".model"})


class SentenceEmbedder:
    """Any model folder that `sentence_transformers` can load; needs `pip install "tenbin[sentence]"`."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError("no such model folder", where=str(folder), fix="download the model and give its folder")
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MissingExtraError(
                "the embedder `sentence` needs the package sentence-transformers",
                fix='run: pip install "tenbin[sentence]"',
            )

    @cached_property
    def name(self) -> str:
        """`sentence-DIM-HASH` of the files of the model folder, so that moving the folder changes nothing."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.suffix in WEIGHT_SUFFIXES]
        return f"sentence-{self.dim}-{weights_hash(files)}"

    @cached_property
    def dim(self) -> int:
        """Columns of the vectors."""
        model = self._model
        # The newer name; the older one warns in version 6.
        named = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
        return int(named())

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, dim]; batches of one, since padding would change last bits."""
        raw = np.zeros((len(texts), self.dim), np.float32)
        said = [i for i, text in enumerate(texts) if text.strip()]
        if said:
            clean = [texts[i].encode("utf-8", "replace").decode() for i in said]
            raw[said] = self._model.encode(clean, batch_size=1, convert_to_numpy=True, show_progress_bar=False)
        return unit_vectors(raw)


__all__ = ["WEIGHT_SUFFIXES", "SentenceEmbedder"]
