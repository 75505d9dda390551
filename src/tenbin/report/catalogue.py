"""The words of one language: a flat catalogue of sentences with named placeholders."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from tenbin.errors import UsageError
from tenbin.reasons import LANGUAGES, filled


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Sentences by key, such as `savings.title`, in the language `lang`."""

    lang: str
    sentences: Mapping[str, str]

    @property
    def between_sentences(self) -> str:
        """What stands between two sentences: nothing in Japanese, where the full stop is as wide as a letter."""
        return "" if self.lang == "ja" else " "

    def __call__(self, key: str, /, **values: str) -> str:
        """The sentence of `key` with its placeholders filled; the values are never read as templates."""
        return filled(self.sentences[key], values) if values else self.sentences[key]

    def get(self, key: str, otherwise: str) -> str:
        """The sentence of `key`, or `otherwise` where the catalogue does not know it."""
        return self.sentences.get(key, otherwise)


def load_catalogue(lang: str, package: str = "tenbin.report.texts") -> Catalogue:
    """The catalogue of "en" or "ja" that lies in a package (UsageError for another language)."""
    if lang not in LANGUAGES:
        raise UsageError(f'there is no report in the language "{lang}"', fix=f"give one of {', '.join(LANGUAGES)}")
    tree = tomllib.loads(files(package).joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    flat = {f"{section}.{key}": str(value) for section, table in tree.items() for key, value in table.items()}
    return Catalogue(lang, flat)
