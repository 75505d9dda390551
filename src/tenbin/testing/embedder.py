"""What every embedder must keep to."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenbin.plugins import blamed
from tenbin.protocols import Embedder
from tenbin.testing.storage import stored
from tenbin.testing.verdict import largest_gap, require

TEXTS = (
    "What is the capital of France?",
    "",
    " ",
    "Prove that the square root of 2 is irrational.",
    "日本で一番高い山は何ですか。",
    "ما هي عاصمة فرنسا؟",
    "def f(x):\n\treturn x ** 2  # tabs, newlines",
    "👩‍👩‍👧‍👦 e\u0301 \u202e \x00 \ufeff",
    "(A) 1 (B) 2 (C) 3 (D) 4",
    "word " * 4000,
    "What is the capital of France?",
)
"""Empty, blank, of several scripts, with control characters, long, and one twice."""


def check_embedder(embedder: Embedder, *, tolerance: float = 1e-5) -> None:
    """Check an embedder that is ready to embed: name, shape, type, length, determinism, independence of rows.

    If it has `save` and `load`, what is loaded must give the same vectors to the bit. `tolerance` is how far a row may
    move with the batch it is in (batched neural encoders round differently). Raises PluginError.
    """
    of = f"embedder {getattr(embedder, 'name', type(embedder).__name__)!r}"
    with blamed(of, "it raised", fix="give vectors of any text, zeros where it knows nothing"):
        require_identity(embedder, of)
        vectors = embedder.embed(list(TEXTS))
        require_vectors(vectors, len(TEXTS), embedder.dim, of)
        require_vectors(embedder.embed([]), 0, embedder.dim, of)
        again = embedder.embed(list(TEXTS))
        fix = "seed what is random"
        require(bool(np.array_equal(vectors, again)), "the same texts gave other vectors", of=of, fix=fix)
        _check_rows(embedder, vectors, of, tolerance)
        _check_saving(embedder, vectors, of)


def require_identity(embedder: Embedder, of: str) -> None:
    """Raise PluginError unless the embedder has a name and a number of columns."""
    name, dim = embedder.name, embedder.dim
    require(isinstance(name, str) and bool(name), "its name is not a text", of=of, fix="identify weights and settings")
    require(isinstance(dim, int) and dim > 0, f"its dim is {dim!r}", of=of, fix="return the length of its vectors")


def require_vectors(vectors: Any, n: int, dim: int, of: str) -> None:
    """Raise PluginError unless these are vectors of n texts: float32 [n, dim], each of length one or zero."""
    seen = f"embed of {n or 'no'} texts gave {_kind(vectors)}"
    fix = f"return a float32 array of shape [n, {dim}]"
    is_array = isinstance(vectors, np.ndarray)
    require(is_array and vectors.shape == (n, dim) and vectors.dtype == np.float32, seen, of=of, fix=fix)
    require(bool(np.isfinite(vectors).all()), "a vector has NaN or infinite parts", of=of, fix="return zeros instead")
    lengths = np.linalg.norm(vectors, axis=1)
    unit = np.isclose(lengths, 1.0, atol=1e-3) | (lengths == 0.0)
    seen = f"a vector has the length {lengths[~unit][0]:.4g}" if not unit.all() else ""
    require(bool(unit.all()), seen, of=of, fix="scale each vector to length 1, or to zero where it knows nothing")


def _check_rows(embedder: Embedder, vectors: Any, of: str, tolerance: float) -> None:
    fix = "compute each row from its own text only"
    backwards = embedder.embed(list(TEXTS[::-1]))[::-1]
    gap = largest_gap(vectors, backwards)
    require(gap <= tolerance, f"vectors move by {gap:.2g} with the order of texts", of=of, fix=fix)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    gap = largest_gap(vectors, alone)
    require(gap <= tolerance, f"vectors move by {gap:.2g} with the other texts of the batch", of=of, fix=fix)


def _check_saving(embedder: Embedder, vectors: Any, of: str) -> None:
    save, load = getattr(embedder, "save", None), getattr(type(embedder), "load", None)
    if save is None or load is None:
        return
    loaded = load(stored(save(), of))
    same = loaded.name == embedder.name and np.array_equal(loaded.embed(list(TEXTS)), vectors)
    require(bool(same), "what was saved and loaded embeds differently", of=of, fix="save all learnt state")


def _kind(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
