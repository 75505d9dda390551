"""Vectors kept on disk by embedder and text, so that slow embedders see each text once.

One SQLite file, safe with several processes, bounded in size, oldest entries first out. Texts are stored as hashes
only. The cache never fails the work: a file that cannot be used counts as empty.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from tenbin.protocols import Embedder
from tenbin.types import Float32s

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
  entry INTEGER PRIMARY KEY, embedder TEXT NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL, UNIQUE (embedder, text)
)
"""
_BUSY_S = 10.0
_ASK_AT_ONCE = 500
_EMBED_AT_ONCE = 256
_VECTOR_TYPE = np.dtype("<f4")
_PROBES = 8
_MOST_APART = 0.02
"""How far a vector may lie from the one that was kept: servers round otherwise from day to day, other models do not."""


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class CachedEmbedder:
    """An embedder that remembers: same `name`, `dim` and vectors as `embedder`, to the bit.

    `path` is the SQLite file, made with its folder when first needed; `max_vectors` bounds its entries. The first
    vectors found there are tried on eight of their texts: where the embedder gives others now (a plug-in that was
    changed under its name, another model behind an address), all that is kept of it is forgotten.
    """

    def __init__(self, embedder: Embedder, path: Path | str, max_vectors: int = 500_000) -> None:
        self.embedder = embedder
        self.path = Path(path)
        self.max_vectors = max_vectors
        self._is_tried = False

    @property
    def name(self) -> str:
        """The name of the embedder behind it."""
        return self.embedder.name

    @property
    def dim(self) -> int:
        """The columns of the embedder behind it."""
        return self.embedder.dim

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Vectors float32 [n, dim] from the file where known; the others are computed once each and kept."""
        keys = [_key(text) for text in texts]
        vectors = np.zeros((len(texts), self.dim), np.float32)
        known = self._recall(keys)
        if known and not self._is_tried:
            if not self._are_same(dict(zip(keys, texts, strict=True)), known):
                self._forget()
                known = {}
            self._is_tried = True
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        wanted = list(missing.items())
        for start in range(0, len(wanted), _EMBED_AT_ONCE):
            part = wanted[start : start + _EMBED_AT_ONCE]
            fresh = dict(zip((k for k, _ in part), self.embedder.embed([text for _, text in part]), strict=True))
            self._keep(fresh)
            known.update(fresh)
        for i, key in enumerate(keys):
            vectors[i] = known[key]
        return vectors

    def _are_same(self, texts: Mapping[bytes, str], known: Mapping[bytes, Float32s]) -> bool:
        """Whether the embedder gives today what was kept, by some of the texts."""
        probes = [key for key in texts if key in known][:: -(-len(known) // _PROBES)]
        fresh = self.embedder.embed([texts[key] for key in probes])
        kept = np.array([known[key] for key in probes])
        return bool((np.linalg.norm(fresh - kept, axis=1) <= _MOST_APART).all())

    def _forget(self) -> None:
        """Delete what is kept of this embedder."""
        try:
            with closing(self._open()) as connection:
                connection.execute("DELETE FROM vectors WHERE embedder = ?", [self.name])
        except (sqlite3.Error, OSError):
            return  # what is kept anew stands in its place

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _recall(self, keys: Sequence[bytes]) -> dict[bytes, Float32s]:
        found: dict[bytes, Float32s] = {}
        size = self.dim * _VECTOR_TYPE.itemsize
        distinct = list(dict.fromkeys(keys))
        try:
            with closing(self._open()) as connection:
                for start in range(0, len(distinct), _ASK_AT_ONCE):
                    part = distinct[start : start + _ASK_AT_ONCE]
                    marks = ",".join("?" * len(part))
                    query = f"SELECT text, vector FROM vectors WHERE embedder = ? AND text IN ({marks})"  # noqa: S608  marks only
                    for text, vector in connection.execute(query, [self.name, *part]):
                        if isinstance(vector, bytes) and len(vector) == size:
                            known = np.frombuffer(vector, _VECTOR_TYPE).astype(np.float32)
                            if np.isfinite(known).all():  # no embedder makes others: such a row is damaged
                                found[text] = known
        except (sqlite3.Error, OSError):
            return found
        return found

    def _keep(self, fresh: dict[bytes, Float32s]) -> None:
        name = self.name
        rows = [(name, key, vector.astype(_VECTOR_TYPE).tobytes()) for key, vector in fresh.items()]
        try:
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT OR REPLACE INTO vectors (embedder, text, vector) VALUES (?, ?, ?)",
                    rows[-self.max_vectors :],
                )
                (count,) = connection.execute("SELECT COUNT(*) FROM vectors").fetchone()
                if count > self.max_vectors:
                    connection.execute(
                        "DELETE FROM vectors WHERE entry IN (SELECT entry FROM vectors ORDER BY entry LIMIT ?)",
                        (count - self.max_vectors,),
                    )
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError):
            return


__all__ = ["CachedEmbedder"]
