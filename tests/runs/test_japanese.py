"""The twins are 200 pairs of two languages, and agreement is measured so that one favoured model cannot flatter it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from runs.japanese import TWINS, agreement, bootstrap, wilson

JAPANESE = re.compile("[぀-ヿ一-鿿]")
KANA = re.compile("[぀-ヿ]")
PROMPTS = [json.loads(line) for line in TWINS.read_text(encoding="utf-8").splitlines()]


def test_there_are_200_pairs_and_none_twice() -> None:
    assert [set(twin) for twin in PROMPTS] == [{"id", "kind", "en", "ja"}] * 200
    for field in ("id", "en", "ja"):
        assert len({twin[field].strip().casefold() for twin in PROMPTS}) == 200
    assert len({twin["kind"] for twin in PROMPTS}) == 8


def test_each_twin_is_in_its_own_language_and_offers_the_same_options() -> None:
    for twin in PROMPTS:
        assert JAPANESE.search(twin["ja"]), twin["id"]
        assert KANA.search(twin["ja"]), twin["id"]
        assert not JAPANESE.search(twin["en"]), twin["id"]
        labels = [re.findall(r"\([A-F1-4]\)", twin[language]) for language in ("en", "ja")]
        assert labels[0] == labels[1], twin["id"]


def test_equal_decisions_are_full_agreement_and_exchanged_ones_none() -> None:
    chosen = np.array([[0, 1] * 50])
    same, exchanged = agreement(np.stack([chosen, chosen]), 2), agreement(np.stack([chosen, 1 - chosen]), 2)
    assert (same.equal, same.chance, same.kappa) == (1.0, 0.5, 1.0)
    assert (exchanged.equal, exchanged.chance, exchanged.kappa) == (0.0, 0.5, -1.0)


def test_a_favoured_model_agrees_by_chance_and_earns_no_kappa() -> None:
    english, japanese = np.zeros((1, 100), dtype=int), np.zeros((1, 100), dtype=int)
    english[0, :10] = 1
    assert agreement(np.stack([english, japanese]), 3).equal == pytest.approx(0.9)
    assert agreement(np.stack([english, japanese]), 3).kappa == pytest.approx(0.0)
    assert agreement(np.stack([japanese, japanese]), 3).kappa is None


def test_that_the_dial_moves_both_languages_alike_is_no_merit() -> None:
    always = np.array([[0] * 40, [1] * 40])
    found = agreement(np.stack([always, always]), 2)
    assert (found.equal, found.chance, found.kappa) == (1.0, 1.0, None)


def test_the_intervals_are_known_ones() -> None:
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    low, high = bootstrap(np.repeat([0.0, 1.0], 200))
    assert (low, high) == pytest.approx((0.451, 0.549), abs=0.01)
