"""Reasons are English strings that can be said in every language, their words in one place."""

from __future__ import annotations

import copy
import json
import re
import string
import tomllib
from pathlib import Path

import pytest

import tenbin
import tenbin.reasons
from tenbin.errors import UsageError
from tenbin.reasons import LANGUAGES, Reason

FOLDER = Path(tenbin.reasons.__file__).parent
SENTENCES = {lang: tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8")) for lang in LANGUAGES}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_language_has_the_same_reasons_with_the_same_placeholders() -> None:
    english, *others = ({key: placeholders(said) for key, said in told.items()} for told in SENTENCES.values())
    assert others
    assert all(other == english for other in others)


def test_every_reason_is_given_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(tenbin.__file__).parent.rglob("*.py"))
    assert [key for key in SENTENCES["en"] if not re.search(rf'"{key}"', source)] == []


def test_a_reason_is_its_english_sentence() -> None:
    reason = Reason("lower_quality", gain="-0.100")
    assert reason == "lower expected quality (-0.100)"
    assert json.dumps({"reason": reason}) == '{"reason": "lower expected quality (-0.100)"}'
    assert hash(reason) == hash(str(reason))


def test_it_is_said_in_japanese_with_all_that_it_contains() -> None:
    reason = Reason("with_ground", reason=Reason("least_cost"), ground=Reason("guessed_group"))
    assert reason.said("en") == reason == "least expected cost, its group guessed from the text"
    assert reason.said("ja") == "期待費用が最小、グループは文面から推定"


def test_values_are_never_read_as_templates() -> None:
    reason = Reason("lacks", capabilities="{gain} {0}")
    assert reason == "lacks {gain} {0}"
    assert reason.said("ja").startswith("{gain} {0}")


def test_a_copy_can_still_be_said_in_another_language() -> None:
    reason = copy.deepcopy(Reason("slower", longer="+2 s"))
    assert reason == "slower (+2 s)"
    assert reason.said("ja") == Reason("slower", longer="+2 s").said("ja")


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="en, ja"):
        Reason("chosen").said("fr")
