"""Which prompts a router has learnt from, as hashes, and which training row each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.types import Ints


@dataclass(frozen=True, slots=True)
class SeenPrompts:
    """Sorted keys of all prompts learnt from, and `rows` [n]: the place among them of every training row."""

    keys: tuple[str, ...]
    rows: Ints

    @classmethod
    def of_rows(cls, keys: Sequence[str]) -> SeenPrompts:
        """The prompts of these training rows."""
        distinct = tuple(sorted(set(keys)))
        place = {key: i for i, key in enumerate(distinct)}
        return cls(distinct, np.array([place[key] for key in keys], dtype=np.int64))

    def with_keys(self, keys: Iterable[str]) -> SeenPrompts:
        """The same training rows, more prompts seen."""
        joined = tuple(sorted({*self.keys, *keys}))
        place = {key: i for i, key in enumerate(joined)}
        return SeenPrompts(joined, np.array([place[self.keys[i]] for i in self.rows], dtype=np.int64))

    def row_of(self) -> dict[str, int]:
        """The (first) training row of every prompt that is one."""
        return {self.keys[place]: row for row, place in reversed(list(enumerate(self.rows.tolist())))}

    def clusters(self) -> Ints:
        """For every training row [n] a number from 0, the same for copies of one prompt."""
        number: Ints = np.unique(self.rows, return_inverse=True)[1].reshape(-1).astype(np.int64)
        return number

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {"keys": np.array(self.keys), "rows": self.rows}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> SeenPrompts:
        """The prompts of saved arrays."""
        return cls(tuple(arrays["keys"].tolist()), np.asarray(arrays["rows"], dtype=np.int64))
