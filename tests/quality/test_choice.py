"""Which option an answer picks."""

from __future__ import annotations

import pytest

from tenbin.quality.choice import Choice

QUESTION = "Which is the capital of Japan?\n(A) Tokyo\n(B) Kyoto\n(C) New York\nD. York"


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("C", "C"),
        ("c", "C"),
        ("(b)", "B"),
        ("**C**", "C"),
        ("C. New York", "C"),
        ("C\nbecause", "C"),
        ("The answer is (C).", "C"),
        ("The correct answer is C because A is wrong", "C"),
        ("Answer: B) Kyoto", "B"),
        (r"\boxed{\text{C}}", "C"),
        ("答えはＣです。", "C"),
        ("正解：(D)", "D"),
        ("正しい選択肢はCでした", "C"),
        ("A is wrong and B is wrong.\n\nD", "D"),
        ("It could be (A), but I take (B)", "B"),
        ("I think it is C", "C"),
        ("Option C. I'm confident, since I've checked.", "C"),
        ("I choose option C, not A", "C"),
        ("The correct option is C because A and (B) are older.", "C"),
        ("Option C is correct. B was the capital once.", "C"),
        ("C is the right one; A, B and D are not.", "C"),
        ("I would not choose A. I would choose (C): B and D are too old.", "C"),
        ("(A) is false, (B) is false, therefore (C).", "C"),
        ("La respuesta correcta es la C, porque A y B son falsas.", "C"),
        ("Die richtige Antwort ist C, weil A und D falsch sind.", "C"),
        ("正确答案是C。因为A和D不对。", "C"),
        ("選択肢Cが正しい。Aは誤り。", "C"),
        ("Aは正しくない。Bは正解ではない。Cが正解です。AとBは都市。", "C"),
        ("c) because of its size", "C"),
        ("Tokyo", "A"),
        ("The capital is New York.", "C"),
        ("The correct answer is Tokyo, not Kyoto or (B)", "B"),
        ("A cat sat there.", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_how_an_option_is_picked(answer: str, label: str | None) -> None:
    for wanted in "ABCD":
        assert Choice().score(QUESTION, answer, wanted) == float(label == wanted)


def test_options_in_small_letters() -> None:
    question = "Which is the capital?\na) Rome\nb) Paris"
    for answer in ("b) Paris", "b. Paris", "Paris", "It is b) Paris."):
        assert Choice().score(question, answer, "b") == 1.0


@pytest.mark.parametrize("reference", ["C", "(c)", "C. New York", "New York", "答えはC"])
def test_how_the_reference_may_name_it(reference: str) -> None:
    assert Choice().score(QUESTION, "The answer is C", reference) == 1.0


def test_without_a_reference_that_is_a_choice_nothing_can_be_told() -> None:
    assert Choice().score(QUESTION, "C", None) is None
    assert Choice().score("Which?", "C", "42") is None


def test_labels_of_ones_own() -> None:
    kana = Choice(["ア", "イ", "ウ", "エ"])
    assert kana.score("", "答えはアです。", "ア") == 1.0
    assert kana.score("", "アメリカ", "ア") == 0.0
    words = Choice(["yes", "no"])
    assert words.score("", "No, it does not.", "no") == 1.0
    assert words.score("", "Nothing is known.", "no") == 0.0
    assert Choice(["1", "2"]).score("", "答えは２", "2") == 1.0
    assert kana.name != words.name != Choice().name == "choice.5"


def test_of_bare_labels_the_last_counts_and_of_two_at_one_place_the_longer() -> None:
    assert Choice().pick("It could be B or D, I suppose", {}) == "D"
    replies = Choice(["no", "no way"])
    assert replies.pick("I say: no way", {}) == "no way"
    assert replies.pick("I say: no", {}) == "no"
