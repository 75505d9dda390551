"""Counts in sentences: one prompt, two prompts."""

from __future__ import annotations

import string
from collections.abc import Mapping


def counted(n: int | str, one: str, many: str | None = None) -> str:
    """A number, as it is written, with its noun, or with all that depends on it; a plain plural need not be given.

    >>> counted(1, "prompt"), counted(1200, "prompt"), counted("2", "query lacks", "queries lack")
    ('1 prompt', '1,200 prompts', '2 queries lack')
    """
    written = f"{n:,}" if isinstance(n, int) else n
    return f"{written} {one if written == '1' else many or f'{one}s'}"


def filled(sentence: str, values: Mapping[str, str]) -> str:
    """The sentence with its placeholders filled; `{n:prompt|prompts}` is the number with the one noun or the other."""
    return _COUNTS.vformat(sentence, (), values) if "|" in sentence else sentence.format(**values)


class _Counts(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        return counted(str(value), one, many) if bar else format(value, format_spec)


_COUNTS = _Counts()
