"""A sentence encoder exported to ONNX: a local folder with `model.onnx` and `tokenizer.json`, mean-pooled."""

from __future__ import annotations

import importlib.util
import mmap
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenbin.errors import MissingExtraError, UsageError
from tenbin.features.unit_vectors import unit_vectors
from tenbin.features.weights_hash import weights_hash
from tenbin.types import Float32s, Ints

_MODEL_PLACES = ("model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx", "model_quantized.onnx")


class OnnxEmbedder:
    """Runs an exported encoder with onnxruntime on one thread; needs `pip install onnxruntime tokenizers`.

    The graph takes `input_ids` and `attention_mask` (and `token_type_ids` if it asks) int64 [1, t]; its first output
    is [1, t, d] (averaged here) or [1, d].
    """

    def __init__(self, folder: Path | str, max_tokens: int = 512) -> None:
        self.folder = Path(folder)
        self.max_tokens = max_tokens
        found = [self.folder / place for place in _MODEL_PLACES if (self.folder / place).is_file()]
        self._tokenizer_file = self.folder / "tokenizer.json"
        if not found or not self._tokenizer_file.is_file():
            raise UsageError(
                "the folder has no model.onnx with a tokenizer.json", where=str(folder), fix="export the model there"
            )
        self._model_file = found[0]
        lacking = [package for package in ("onnxruntime", "tokenizers") if importlib.util.find_spec(package) is None]
        if lacking:
            raise MissingExtraError(
                f"the embedder `onnx` needs {' and '.join(lacking)}", fix=f"run: pip install {' '.join(lacking)}"
            )

    @cached_property
    def name(self) -> str:
        """`onnx-DIM-HASH` of the graph, its weights, the tokenizer and the length at which texts are cut."""
        files = [self._model_file, self._tokenizer_file, *self._weights_beside()]
        return f"onnx-{self.dim}-{weights_hash(files)}-{self.max_tokens}"

    def _weights_beside(self) -> list[Path]:
        """The files that the graph keeps its weights in, as large ones do; it names them."""
        ours = (self._model_file, self._tokenizer_file)
        others = [path for path in self._model_file.parent.iterdir() if path.is_file() and path not in ours]
        with (
            self._model_file.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as graph,
        ):
            return [path for path in others if graph.find(os.fsencode(path.name)) >= 0]

    @cached_property
    def dim(self) -> int:
        """Columns of the vectors, from the graph itself."""
        return len(self._vector("dimension"))

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415  heavy: only when used

        tokenizer = Tokenizer.from_file(str(self._tokenizer_file))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_tokens)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(str(self._model_file), options, providers=["CPUExecutionProvider"])

    def _vector(self, text: str) -> Float32s:
        ids: Ints = np.array([self._tokenizer.encode(text).ids], np.int64)
        offered = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        asked = {port.name for port in self._session.get_inputs()}
        output = np.asarray(self._session.run(None, {k: v for k, v in offered.items() if k in asked})[0], np.float32)
        vector: Float32s = output[0].mean(axis=0) if output.ndim == 3 else output[0]
        return vector

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, dim]; texts go one by one, since padding would change last bits."""
        raw = np.zeros((len(texts), self.dim), np.float32)
        for i, text in enumerate(texts):
            if text.strip():
                raw[i] = self._vector(text.encode("utf-8", "replace").decode())
        return unit_vectors(raw)


__all__ = ["OnnxEmbedder"]
