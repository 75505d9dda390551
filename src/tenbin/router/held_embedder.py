"""An embedder that runs other people's code or weights, held at every use to what the door asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenbin.plugins import blamed
from tenbin.protocols import Embedder
from tenbin.types import Float32s


class HeldEmbedder:
    """Vectors of the wrong type, number or length would still give decisions, only worse ones: they are refused.

    `make` makes it, `where` says whose it is and `fix` what to do where it fails. Raises PluginError where it cannot be
    made, has no name or number of columns, or fails in `embed`; a TenbinError of its own stays what it is.
    """

    def __init__(self, make: Callable[[], Embedder], where: str, fix: str) -> None:
        from tenbin.testing.embedder import require_identity, require_vectors  # noqa: PLC0415 (the base needs it not)

        with blamed(where, "cannot be made", fix):
            embedder = make()
            require_identity(embedder, where)
            self.name, self.dim = embedder.name, embedder.dim
        self.where = where
        self.fix = fix
        self._embedder = embedder
        self._require_vectors = require_vectors

    def embed(self, texts: Sequence[str]) -> Float32s:
        """The vectors float32 [n, dim]."""
        with blamed(self.where, "cannot embed", self.fix):
            vectors = self._embedder.embed(texts)
        self._require_vectors(vectors, len(texts), self.dim, self.where)
        return vectors
