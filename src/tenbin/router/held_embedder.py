"""An embedder that runs other people's code or weights, held at every use to what the door asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tenbin.features import CachedEmbedder
from tenbin.plugins import blamed
from tenbin.protocols import Embedder
from tenbin.types import Float32s

PROBES = ("Which of these is heavier?", "日本で一番高い山は何ですか。", "def f(x): return x ** 2", "Prove it. " * 40)
MOST_APART = 0.02
"""How far the vector of a probe may lie from what it was at the fit: other processors round otherwise."""


class HeldEmbedder:
    """Vectors of the wrong type, number or length would still give decisions, only worse ones: they are refused.

    `make` makes it, `where` says whose it is and `fix` what to do where it fails; `is_anothers` is a plug-in's, whose
    name is only its author's word. Raises PluginError where it cannot be
    made, has no name or number of columns, or fails in `embed`; a TenbinError of its own stays what it is.
    """

    def __init__(self, make: Callable[[], Embedder], where: str, fix: str, *, is_anothers: bool = False) -> None:
        from tenbin.testing.embedder import require_identity, require_vectors  # noqa: PLC0415 (the base needs it not)

        with blamed(where, "cannot be made", fix):
            embedder = make()
            require_identity(embedder, where)
            self.name, self.dim = embedder.name, embedder.dim
        self.where = where
        self.fix = fix
        self.is_anothers = is_anothers
        self._embedder = embedder
        self._require_vectors = require_vectors

    def embed(self, texts: Sequence[str]) -> Float32s:
        """The vectors float32 [n, dim]."""
        with blamed(self.where, "cannot embed", self.fix):
            vectors = self._embedder.embed(texts)
        self._require_vectors(vectors, len(texts), self.dim, self.where)
        return vectors

    def probe(self) -> Float32s:
        """The vectors of a few texts, which tell whether it is still what its name says."""
        return self.embed(PROBES)

    def is_still(self, probed: Float32s) -> bool:
        """Whether it gives what `probe` gave once."""
        now = self.probe()
        return now.shape == probed.shape and bool((np.linalg.norm(now - probed, axis=1) <= MOST_APART).all())


def anothers(embedder: Embedder) -> HeldEmbedder | None:
    """The plug-in's embedder that this is, with a cache in front of it or without; None where it is ours."""
    inner = embedder.embedder if isinstance(embedder, CachedEmbedder) else embedder
    return inner if isinstance(inner, HeldEmbedder) and inner.is_anothers else None
