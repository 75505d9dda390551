"""What a judge is shown: bounded, from both ends, under a code of its own, and named by what is fixed."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tenbin.quality.judge_prompt import DEFAULT_RUBRIC, MAX_CHARACTERS, JudgeForm, shortened


@example("abcd", 3)
@example("x" * 20_001, 20_000)
@given(st.text(max_size=60), st.integers(1, 70))
def test_what_is_too_long_is_shown_from_both_ends(text: str, most: int) -> None:
    said = shortened(text, most)
    if len(text) <= most:
        assert said == text
        return
    head = 2 * most // 3
    tail = text[len(text) - (most - head) :]
    assert said == f"{text[:head]}\n[... {len(text) - most} characters left out here ...]\n{tail}"


def test_a_rubric_is_taken_as_it_is_but_for_the_blanks_around_it() -> None:
    plain = JudgeForm.pointwise("Say @CODE@.", 5, 100)
    assert plain.hash == JudgeForm.pointwise("\n Say @CODE@. ", 5, 100).hash
    assert JudgeForm.pairwise("Right.", 100).hash == JudgeForm.pairwise(" Right.\n", 100).hash
    prompt = plain.prompt("2 + 2?", None, [("answer", "4")])
    assert "\nSay @CODE@.\n" in prompt.system
    code = prompt.user.split("<answer ", 1)[1].split(">", 1)[0]
    assert len(code) == 16
    assert prompt.system.count(f"<answer {code}> and </answer {code}>") == 1
    assert prompt.system.count("@CODE@") == 1
    # The schema holds a judge to the members that are read, and to no other.
    assert prompt.schema["additionalProperties"] is False
    assert prompt.schema["properties"]["score"] == {"type": "integer", "minimum": 1, "maximum": 5}
    paired = JudgeForm.pairwise("Right.", 100).prompt("?", None, [("first answer", "4"), ("second answer", "5")])
    assert paired.schema["properties"]["better"] == {"type": "string", "enum": ["first", "second", "tie"]}


def test_twenty_thousand_characters_are_shown_unless_the_metric_says_otherwise() -> None:
    form = JudgeForm.pointwise(DEFAULT_RUBRIC, 5, MAX_CHARACTERS)
    for length, is_cut in ((20_000, False), (20_001, True)):
        prompt = form.prompt("q", None, [("answer", "x" * length)])
        assert ("1 characters left out here" in prompt.user) is is_cut
