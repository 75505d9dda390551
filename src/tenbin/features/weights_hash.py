"""Which weights an embedder runs on, as a short hash of the files themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def weights_hash(files: Iterable[Path]) -> str:
    """First 12 hex digits of the SHA-256 over the names and contents of the files, in order of name, then of depth.

    Raises OSError where a file cannot be read.
    """
    digest = hashlib.sha256()
    # Files of one name (`config.json` of a model and of its layers) come from the disk in an order that a copy changes.
    for path in sorted(files, key=lambda file: (file.name, len(file.parts), file.parts)):
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()[:12]


__all__ = ["weights_hash"]
