"""Every language of the commands has the same keys and placeholders, and the commands ask for no other."""

from __future__ import annotations

import re
import string
from pathlib import Path

import tenbin.cli
from tenbin.cli.output import TEXTS
from tenbin.reasons import LANGUAGES
from tenbin.report.catalogue import load_catalogue

SOURCE = Path(tenbin.cli.__file__).parent


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_the_languages_have_the_same_keys_and_placeholders() -> None:
    told = [load_catalogue(lang, TEXTS).sentences for lang in LANGUAGES]
    for other in told[1:]:
        assert {k: placeholders(v) for k, v in other.items()} == {k: placeholders(v) for k, v in told[0].items()}


def test_every_key_is_asked_for_and_every_key_asked_for_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py"))
    known = set(load_catalogue("en", TEXTS).sentences)
    sections = "|".join(sorted({key.partition(".")[0] for key in known}))
    asked = set(re.findall(rf"""["']((?:{sections})\.\w+)["']""", source))
    assert asked <= known
    built = {key for key in known - asked if f'"{key.partition(".")[2]}"' in source}  # words(f"fit.{key}")
    assert known - asked == built
