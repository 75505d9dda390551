"""A reason: an English sentence that remembers what it was made of, so that it can be said in another language."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Self

from tenbin.errors import UsageError
from tenbin.reasons.count import filled

LANGUAGES = ("en", "ja")


@functools.cache
def _sentences(lang: str) -> Mapping[str, str]:
    """The sentences of a language by key."""
    if lang not in LANGUAGES:
        raise UsageError(f'there are no reasons in the language "{lang}"', fix=f"give one of {', '.join(LANGUAGES)}")
    text = files("tenbin.reasons").joinpath(f"{lang}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


class Reason(str):
    """A sentence of `en.toml`, filled in; as a string it is English, `said` gives it in another language.

    `key` names the sentence, `values` fill its placeholders: figures and names, or reasons that it contains. Two
    reasons are equal where their English is.
    """

    __slots__ = ("key", "values")
    key: str
    values: Mapping[str, str]

    def __new__(cls, key: str, /, **values: str) -> Self:
        """Fill the sentence of `key` with `values`, which are never read as templates."""
        sentence = _sentences("en")[key]
        self = super().__new__(cls, filled(sentence, values) if values else sentence)
        self.key, self.values = key, values
        return self

    def said(self, lang: str) -> str:
        """The sentence in "en" or "ja", and so are the reasons that it contains (UsageError for another language)."""
        if lang == "en":
            return str(self)
        inner = {name: value.said(lang) if isinstance(value, Reason) else value for name, value in self.values.items()}
        return filled(_sentences(lang)[self.key], inner)

    def in_all(self) -> dict[str, str]:
        """The sentence by language."""
        return {lang: self.said(lang) for lang in LANGUAGES}

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        """What copies are made of."""
        return (self.key,), dict(self.values)
