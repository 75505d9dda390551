"""Both languages say the same things, and the page asks for nothing that they do not have."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import tenbin.report
from tenbin.reasons import LANGUAGES
from tenbin.report.catalogue import load_catalogue

SOURCE = Path(tenbin.report.__file__).parent


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_the_keys_are_exactly_the_same() -> None:
    first, *others = (load_catalogue(lang).sentences for lang in LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()


def test_the_placeholders_are_exactly_the_same() -> None:
    english, japanese = load_catalogue("en").sentences, load_catalogue("ja").sentences
    assert {k: placeholders(v) for k, v in english.items()} == {k: placeholders(v) for k, v in japanese.items()}


def test_every_key_in_the_source_exists_and_every_key_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    known = load_catalogue("en").sentences.keys()
    asked = set(re.findall(r'words(?:\.get)?\(\s*"([a-z]+\.\w+)"', source))
    assert asked <= known
    built = {"curve", "dial", "calibration", "term", "version", "figure", "method", "verdict"}  # f"term.{key}"
    unused = {k for k in known - asked if f'"{k}"' not in source and k.split(".")[0] not in built}
    assert {k for k in unused if not k.endswith(".short")} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_is_empty_or_stray(lang: str) -> None:
    for key, sentence in load_catalogue(lang).sentences.items():
        assert sentence.strip(), key
        assert "\n" not in sentence, key


def test_values_are_never_read_as_templates() -> None:
    assert "{0.__class__}" in load_catalogue("en")("curve.left_out", models="{0.__class__}")
