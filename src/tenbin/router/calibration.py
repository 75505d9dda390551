"""What a router expected of prompts it was not fitted on, beside what came: the ground of its certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.router.crossfit import Crossfit


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Estimates and outcomes of n calibration rows, a key per prompt (copies share one), their groups; no prompts.

    Columns are in the order of the router's models. `groups` [n] is "" where a row has none.
    """

    ground: Crossfit
    keys: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it: a certificate names the calibration that it rests on."""
        found = hashlib.sha256()
        for name, array in sorted(self.save().items()):
            found.update(name.encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {
            **self.ground.save(),
            "keys": np.array(self.keys, dtype=str),
            "groups": np.array(self.groups, dtype=str),
        }

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Calibration:
        """The calibration of saved arrays; KeyError where one is missing."""
        ground = {name: array for name, array in arrays.items() if name not in ("keys", "groups")}
        return cls(Crossfit.load(ground), tuple(arrays["keys"].tolist()), tuple(arrays["groups"].tolist()))
