"""The base embedder: exact to the bit, learnt from the user's prompts, and aware of what it does not know."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import ArtifactError, UsageError
from tenbin.features import hashed
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.lexicon import TEXT_NORM
from tenbin.testing import check_embedder

THINGS = [
    "apples",
    "bridges",
    "clouds",
    "drums",
    "engines",
    "flowers",
    "guitars",
    "hotels",
    "islands",
    "jackets",
    "kettles",
    "lamps",
]
SHOPS = ["bakery", "library", "garage", "harbour", "museum", "bank"]


def prompts() -> Iterator[str]:
    for i, thing in enumerate(THINGS):
        for j, shop in enumerate(SHOPS):
            yield f"The {shop} sells {thing} for {i + 2} dollars each. How much do {j + 3} of the {thing} cost?"
            yield f"Write a short story about the {shop} and its {thing}, in which nobody says a word about money."
            yield f"def count_{thing}(values):\n    return sum(1 for v in values if v == '{shop}')  # explain this code"


TRAINING = tuple(prompts())


@pytest.fixture(scope="module")
def embedder() -> HashedEmbedder:
    return HashedEmbedder(32).fit(TRAINING)


def test_it_keeps_to_the_door_of_embedders(embedder: HashedEmbedder) -> None:
    check_embedder(embedder, tolerance=0.0)


def test_like_prompts_are_near_and_unlike_ones_far(embedder: HashedEmbedder) -> None:
    asked = embedder.embed(
        [
            "The cinema sells lamps for 9 dollars each. How much do 7 of them cost?",
            TRAINING[0],
            TRAINING[1],
            TRAINING[2],
        ]
    )
    near = asked[1:] @ asked[0]
    assert near[0] > 0.5
    assert near[0] > max(near[1:]) + 0.3


def test_sums_are_whole_numbers_that_float32_holds(embedder: HashedEmbedder) -> None:
    """The promise behind exactness: |weights| |direction| < 2**24 whatever the text."""
    longest = float(np.linalg.norm(embedder.projection_.directions.astype(np.float64), axis=0).max())
    # rounding adds at most half a unit to each of the weights
    text_norm = TEXT_NORM + 0.5 * np.sqrt(len(embedder.projection_.lexicon.slots))
    assert text_norm * longest < 2**24
    # and for any fit with the default sizes:
    width = embedder.words + embedder.characters
    bound = (TEXT_NORM + 0.5 * width**0.5) * (hashed._DIRECTION_NORM + 0.5 * width**0.5)
    assert bound < 2**24


@settings(max_examples=40)
@given(st.lists(st.one_of(st.sampled_from(TRAINING), st.text(max_size=60)), max_size=12), st.sampled_from(TRAINING))
def test_a_vector_never_depends_on_the_other_texts(embedder: HashedEmbedder, others: list[str], text: str) -> None:
    vectors, familiarity, novelty = embedder.read([*others, text, *others])
    alone_vector, alone_familiarity, alone_novelty = embedder.read([text])
    assert np.array_equal(vectors[len(others)], alone_vector[0])
    assert familiarity[len(others)] == alone_familiarity[0]
    assert novelty[len(others)] == alone_novelty[0]


def test_blocks_and_single_texts_agree_to_the_bit(embedder: HashedEmbedder) -> None:
    together = embedder.embed(TRAINING)
    assert np.array_equal(together, np.concatenate([embedder.embed([text]) for text in TRAINING]))
    assert np.array_equal(together[7:150], embedder.embed(TRAINING[7:150]))


def test_neither_the_order_of_training_prompts_nor_a_second_fit_changes_a_bit(embedder: HashedEmbedder) -> None:
    assert HashedEmbedder(32).fit(TRAINING[::-1]).name == embedder.name
    # The seed only says where the search for directions starts, which shows before it has gone on.
    first, other = (HashedEmbedder(32, iterations=0, seed=seed).fit(TRAINING).name for seed in (0, 1))
    assert first != other


def test_training_texts_are_judged_without_themselves_in_their_own_order(embedder: HashedEmbedder) -> None:
    texts = [*TRAINING[:40], "zyx wvu qqq zzz", *TRAINING[40:]]
    judged = HashedEmbedder(32).fit(texts).left_out_familiarity_
    assert int(np.argmin(judged)) == 40
    assert np.array_equal(HashedEmbedder(32).fit(texts[::-1]).left_out_familiarity_, judged[::-1])
    few = HashedEmbedder(32, max_rows=50).fit(texts)
    for some in (few.left_out_familiarity_, few.left_out_novelty_):
        assert len(some) == len(texts)
        assert np.count_nonzero(~np.isnan(some)) == 50


def test_what_no_training_prompt_had_is_new_half_by_words_and_half_by_characters() -> None:
    texts = [*TRAINING[:40], "the zyx", *TRAINING[40:]]
    fitted = HashedEmbedder(32).fit(texts)
    novelty = fitted.read(["the zyx", "the ruq", "", "Σ"])[2]
    # Of two words and their pair one word and the pair are new; of the characters of " the ruq " those with r, u or q:
    # four of 7 of three, of 6 of four and of 5 of five.
    assert novelty.tolist() == [0.0, pytest.approx(2 / 3), 0.0, 1.0]
    assert fitted.left_out_novelty_[40] > 0.6
    assert np.delete(fitted.left_out_novelty_, 40).max() < 0.5
    again = HashedEmbedder.load(fitted.save())
    assert np.array_equal(again.read(texts)[2], fitted.read(texts)[2])


def test_threads_change_no_vector(embedder: HashedEmbedder, tmp_path: object) -> None:
    state = f"{tmp_path}/state.npz"
    np.savez(state, **embedder.save())
    script = (
        "import sys, hashlib, numpy as np; from tenbin.features.hashed import HashedEmbedder; "
        "e = HashedEmbedder.load(dict(np.load(sys.argv[1]))); texts = sys.stdin.read().split('\\x00'); "
        "print(e.name, hashlib.sha256(e.embed(texts).tobytes()).hexdigest())"
    )
    seen = set()
    for threads in ("1", "2"):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", script, state]
        run = subprocess.run(
            command, input="\0".join(TRAINING), env=environment, capture_output=True, text=True, check=True
        )
        seen.add(run.stdout)
    assert len(seen) == 1
    assert embedder.name in seen.pop()


FIT_AND_SAY = """
import numpy as np
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.lexicon import TEXT_NORM
rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(400)]
share = 1.0 / np.arange(1, 401)
texts = [" ".join(rng.choice(words, rng.integers(5, 40), p=share / share.sum())) for _ in range(300)]
print(HashedEmbedder(200).fit(texts).name)
"""


def test_neither_the_processor_nor_its_threads_change_a_fit() -> None:
    # Nehalem's kernels (SSE) run on every x86-64 processor and sum in another order than wider ones; elsewhere the
    # name is passed over. In float32 the weakest directions turned here.
    names = set()
    for setting in ({}, {"OPENBLAS_CORETYPE": "Nehalem"}, {"OPENBLAS_NUM_THREADS": "2"}):
        run = subprocess.run(
            [sys.executable, "-c", FIT_AND_SAY], env=os.environ | setting, capture_output=True, text=True, check=True
        )
        names.add(run.stdout.strip())
    assert len(names) == 1


def test_typographic_noise_changes_nothing(embedder: HashedEmbedder) -> None:
    plain = 'the bakery sells "drums" - how much?'
    noisy = "  The ＢＡＫＥＲＹ\u00a0 sells “drums” — how\r\nmuch？"
    assert np.array_equal(embedder.embed([plain]), embedder.embed([noisy]))


def test_it_knows_what_is_unlike_its_training(embedder: HashedEmbedder) -> None:
    like = embedder.familiarity(["The museum sells kettles for 5 dollars each. How much do 9 of the kettles cost?"])[0]
    japanese = "ある店ではりんごを1個120円で売っています。5個ではいくらですか？\nA. 500\nB. 600\nC. 700\nD. 800"
    unlike = embedder.familiarity([japanese, "Сколько стоят пять яблок?", "사과 다섯 개는 얼마입니까?"])
    assert like > 0.9
    assert unlike.max() < 0.1
    assert embedder.familiarity([""])[0] == 0.0
    assert embedder.familiarity(TRAINING).min() > 0.5


def test_familiarity_ends_at_one() -> None:
    said = [
        f"the bakery sells {'bcdfg'[i % 5]}{'aeiou'[i // 5]}{'klmnp'[i % 7 % 5]}{'vwxzt'[i % 3]}" for i in range(25)
    ]
    fitted = HashedEmbedder(4).fit(said)
    assert fitted.usual_share_ < 0.95
    assert fitted.familiarity(["the bakery sells"])[0] == 1.0


def test_trained_on_japanese_it_knows_japanese() -> None:
    things = ["りんご", "自転車", "机", "時計", "本", "魚", "花", "車", "靴", "傘"]
    said = [f"{t}を{n}個買うといくらですか？" for t in things for n in range(3, 8)]
    said += [f"{t}について短い物語を書いてください。" for t in things]
    japanese = HashedEmbedder(16).fit(said)
    same, other, english = japanese.familiarity(
        ["時計を9個買うといくらですか？", "この関数を説明してください。", "How much are nine clocks?"]
    )
    assert same > 0.9
    assert english < 0.1 < other
    vectors = japanese.embed(["鉛筆を4個買うといくらですか？", said[0], said[-1]])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_a_text_of_unknown_ngrams_has_no_direction(embedder: HashedEmbedder) -> None:
    assert not embedder.embed(["", "ჰხჯ"]).any()


@pytest.mark.parametrize("texts", [["same prompt"], ["a", "b"], ["same prompt"] * 5, ["東京", "", "大阪"]])
def test_few_prompts_are_enough_to_go_on(texts: list[str]) -> None:
    few = HashedEmbedder().fit(texts)
    vectors = few.embed(texts)
    assert 1 <= few.dim <= len(texts)
    assert np.isfinite(vectors).all()
    assert vectors[0].any()


def test_nothing_to_learn_from_is_said() -> None:
    for texts in ([], [""], ["  ", "\n"]):
        with pytest.raises(UsageError, match="nothing to learn"):
            HashedEmbedder().fit(texts)


def test_use_before_fit_is_said() -> None:
    fresh = HashedEmbedder(7)
    assert (fresh.name, fresh.dim) == ("base", 7)
    with pytest.raises(UsageError, match="not been fitted"):
        fresh.embed(["x"])


def test_a_damaged_state_is_refused(embedder: HashedEmbedder) -> None:
    good = embedder.save()
    bad = (
        {key: value for key, value in good.items() if key != "idf"},
        good | {"projection": good["projection"][:, :-1]},
        good | {"projection": good["projection"].astype(np.int16)},
        good | {"settings": good["settings"] + 1},
        good | {"slots": good["slots"] + np.uint32(2**20)},
    )
    for state in bad:
        with pytest.raises(ArtifactError):
            HashedEmbedder.load(state)


def test_the_name_tells_one_fit_from_another(embedder: HashedEmbedder) -> None:
    assert HashedEmbedder.load(embedder.save()).name == embedder.name
    assert HashedEmbedder(32).fit(TRAINING[:-1]).name != embedder.name
    changed = embedder.save()
    changed["scale"] = changed["scale"] * np.float32(1.0001)
    assert HashedEmbedder.load(changed).name != embedder.name


def test_a_large_table_is_sampled_and_progress_is_told() -> None:
    told: list[float] = []
    small = HashedEmbedder(8, max_texts=50, max_rows=20).fit(TRAINING, progress=lambda _, share: told.append(share))
    assert small.dim == 8
    assert told == sorted(told)
    assert told[-1] == 1.0
