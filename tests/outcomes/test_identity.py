"""The key and the fold of a query depend on what it says, and on nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.outcomes import fold_of, prompt_key
from tenbin.types import Query


def key(prompt: str) -> str:
    return prompt_key(Query("any", prompt))


@pytest.mark.parametrize("copy", ["What is  2+2?", " what is 2+2?\n", "WHAT IS 2+2?", "Ｗhat is ２＋２？"])
def test_accidents_of_copying_do_not_change_the_key(copy):
    assert key(copy) == key("What is 2+2?")


@pytest.mark.parametrize("other", ["What is 2+3?", "What is 22?", "", "What is 2+2"])
def test_another_text_has_another_key(other):
    assert key(other) != key("What is 2+2?")


def test_the_key_is_pinned_because_artifacts_store_it():
    assert key("What is 2+2?") == "61a3385003d9b9d390dc511f"
    parts = [{"type": "text", "text": "b"}]
    turns = ({"role": "system", "content": "a"}, {"role": "user", "content": parts})
    assert prompt_key(Query("1", "c", messages=turns)) == "2211a3cf2660a7a4701cc9b9"


def test_id_and_group_are_no_part_of_the_key():
    assert prompt_key(Query("1", "p", group="g")) == prompt_key(Query("2", "p"))


def test_messages_count_by_role_and_content():
    def said(*turns: tuple[str, object]) -> str:
        return prompt_key(Query("1", messages=tuple({"role": role, "content": text} for role, text in turns)))

    assert said(("user", "Hi  there")) == said(("user", "hi there"))
    assert said(("user", "hi")) != said(("assistant", "hi"))
    assert said(("user", "a"), ("user", "b")) != said(("user", "b"), ("user", "a"))
    assert said(("user", [{"type": "text", "text": "x"}])) != said(("user", [{"type": "text", "text": "y"}]))
    assert said(("user", "a"), ("user", None)) == said(("user", "a"), ("user", ""))
    assert len(said(("user", None))) == 24


def test_a_prompt_beside_messages_is_a_part_of_the_query():
    said = ({"role": "user", "content": "a"},)
    assert len({prompt_key(Query("1", prompt, messages=said)) for prompt in ("", "b", "c")}) == 3


@pytest.mark.parametrize("content", ["What is 2+2?", [{"type": "text", "text": "What is 2+2?"}]])
def test_one_user_message_is_the_prompt_that_it_holds(content):
    one = Query("1", messages=({"role": "user", "content": content},))
    assert prompt_key(one) == key("What is 2+2?")
    assert fold_of(one, 5) == fold_of(Query("2", "What is 2+2?"), 5)


@pytest.mark.parametrize(
    "messages",
    [
        ({"role": "system", "content": "a"},),
        ({"role": "user", "content": None},),
        ({"role": "user", "content": [{"type": "thinking", "text": "a"}]},),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]},),
        ({"role": "system", "content": "b"}, {"role": "user", "content": "a"}),
    ],
)
def test_what_says_more_than_a_prompt_is_another_query(messages):
    assert prompt_key(Query("1", messages=messages)) != key("a")


@given(st.text(max_size=300), st.integers(1, 10))
def test_a_fold_is_in_range_and_always_the_same(prompt, n_folds):
    fold = fold_of(Query("1", prompt), n_folds)
    assert 0 <= fold < n_folds
    assert fold == fold_of(Query("2", f"  {prompt}\n"), n_folds)


@given(st.text(max_size=100))
def test_equal_keys_mean_equal_folds(prompt):
    for copy in (prompt.upper(), prompt.replace(" ", "\u3000")):
        if key(copy) == key(prompt):
            assert fold_of(Query("1", copy), 5) == fold_of(Query("1", prompt), 5)


def test_near_duplicates_share_a_fold():
    start = "Read the passage and answer. " * 10
    assert fold_of(Query("1", start + "How many?"), 97) == fold_of(Query("2", start + "How few?"), 97)


def test_a_fold_is_told_by_the_first_200_characters_of_the_first_4000():
    assert fold_of(Query("1", "a" * 199 + "x"), 10**9) != fold_of(Query("2", "a" * 199 + "y"), 10**9)
    assert fold_of(Query("1", "a" * 200 + "x"), 10**9) == fold_of(Query("2", "a" * 200 + "y"), 10**9)
    assert fold_of(Query("1", " " * 3999 + "x"), 10**9) != fold_of(Query("2", " " * 3999 + "y"), 10**9)
    assert fold_of(Query("1", " " * 4000 + "x"), 10**9) == fold_of(Query("2", " " * 4000 + "y"), 10**9)


def test_folds_are_about_equal():
    sizes = Counter(fold_of(Query("1", f"question {i}"), 5) for i in range(5000))
    assert set(sizes) == set(range(5))
    assert max(sizes.values()) < 1.1 * 1000
