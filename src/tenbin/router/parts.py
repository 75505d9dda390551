"""The arrays of a router, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tenbin.artifact import Manifest, read_part


class Parts:
    """The arrays of a router by part: in memory after a fit, read and checked on first use after a load."""

    def __init__(self, manifest: Manifest, folder: Path | None, held: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        self._manifest = manifest
        self.folder = folder
        self._held = dict(held)

    def __contains__(self, part: str) -> bool:
        return part in self._held or f"{part}.npz" in self._manifest.hashes

    def __getitem__(self, part: str) -> Mapping[str, NDArray[Any]]:
        if part not in self._held and self.folder is not None:
            self._held[part] = read_part(self.folder, self._manifest, part)
        return self._held[part]

    def all(self) -> dict[str, Mapping[str, NDArray[Any]]]:
        """Every part, read where it was not yet."""
        names = {*self._held, *(name.removesuffix(".npz") for name in self._manifest.hashes)}
        return {name: self[name] for name in sorted(names)}
