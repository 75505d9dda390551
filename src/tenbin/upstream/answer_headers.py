"""The headers of an upstream's answer, names in any case."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar, overload

T = TypeVar("T")
REDACTED = "[redacted]"
MIN_SECRET_CHARACTERS = 4
"""Shorter values guard nothing, and taking them out of every line would leave no line to read."""


class AnswerHeaders(Mapping[str, str]):
    """Headers as text, names in lower case however they are asked for; one that came more than once is joined.

    `by_name` is the same by lower-case name, for who asks in lower case anyway.
    """

    __slots__ = ("by_name",)

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        said = b"\n".join(chain.from_iterable(lines)).decode("latin-1").split("\n")  # one by one takes twice as long
        self.by_name: dict[str, str] = {name.lower(): value for name, value in zip(said[::2], said[1::2], strict=False)}
        if 2 * len(self.by_name) == 2 * len(lines) == len(said):
            return
        values = self.by_name = {}
        for name, value in lines:
            lower = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            values[lower] = f"{values[lower]}, {text}" if lower in values else text

    def __getitem__(self, name: str) -> str:
        return self.by_name[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T, /) -> str | T: ...
    def get(self, name: str, default: str | T | None = None, /) -> str | T | None:
        """The value, or the default; the mixin's way over an exception costs more."""
        return self.by_name.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def without(self, secret: str) -> AnswerHeaders:
        """The same, or where a value repeats this secret, headers without it."""
        if secret not in "\n".join(self.by_name.values()):
            return self
        found = AnswerHeaders(())
        found.by_name = {name: value.replace(secret, REDACTED) for name, value in self.by_name.items()}
        return found

    def items(self) -> ItemsView[str, str]:
        """Names in lower case and values."""
        return self.by_name.items()


NO_HEADERS = AnswerHeaders(())
"""Before there are any."""
