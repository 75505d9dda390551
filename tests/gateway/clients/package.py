"""Other people's packages, imported when first used: tests that need them are collected, though not run, without."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Package:
    """Stands for a module; a missing one fails the test that uses it, instead of being skipped."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest asks all that a module holds for `_mock_name` and `__wrapped__`
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
