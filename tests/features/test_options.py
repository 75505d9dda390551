"""Which labels are options, and which row of them counts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.normal_text import normal_lines, plain_text
from tenbin.features.options import find_options

LETTER = "[a-zアイウエオカキクケコ]"
LABEL = re.compile(
    rf"[)\].:、](?:(?<=[(\[]{LETTER}[)\]])|(?<=[(\[][0-9][)\]])|(?<=[(\[][0-9][0-9][)\]])|"
    rf"(?:(?<=[\s,、。:;?]{LETTER}[).:、])|(?<=[\s,、。:;?][0-9][).:、])|(?<=[\s,、。:;?][0-9][0-9][).:、]))(?![0-9]))"
)
"""The rule as one pattern for the sign that closes a label: what artifacts were fitted with."""
ORDERS = (list("abcdefghijklmnopqrstuvwxyz"), [str(i) for i in range(1, 31)], list("アイウエオカキクケコ"))
PIECES = st.sampled_from(
    [" a.", " b)", " c:", "(a)", "[b]", " 1.", "2)", "(3)", " 10.", " 11:", "ア、", " イ.", "x", "9", " ", "\n", "?"]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("which? a. one b. two c. three", (3, 6)),
        ("(1) yes\n(2) no", (2, 0)),
        ("a. this b. that 1. x 2. y 3. z", (3, 15)),
        ("1. x 2. y a. this b. that", (2, 9)),
        ("9. ninth 10. tenth", (0, 18)),
        ("pi is 3.14, about 3.2", (0, 21)),
        ("a. alone", (0, 8)),
        ("", (0, 0)),
    ],
)
def test_the_longest_row_counts_letters_before_numbers(text: str, expected: tuple[int, int]) -> None:
    assert find_options([text]) == [expected]


@given(st.lists(st.lists(PIECES, max_size=10).map("".join).map(plain_text).map(normal_lines), max_size=4))
def test_a_text_has_options_of_its_own_only(texts: list[str]) -> None:
    assert find_options(texts) == [found for text in texts for found in find_options([text])]


@given(st.lists(PIECES, max_size=12).map("".join).map(plain_text).map(normal_lines))
def test_options_are_those_of_the_pattern(text: str) -> None:
    found, free = [], 0
    for match in LABEL.finditer(f"\n{text}"):
        start = match.start() - 2 - f"\n{text}"[match.start() - 2].isdecimal()
        if start >= free:
            free = match.end()
            found.append((f"\n{text}"[start + 1 : match.start()], max(start - 1, 0)))
    best, first = 0, len(text)
    for order in ORDERS:
        for i, (label, place) in enumerate(found):
            if label == order[0]:
                rest = iter(order[1:])
                wanted, count = next(rest), 1
                for other, _ in found[i + 1 :]:
                    if other == order[0]:
                        break
                    if other == wanted:
                        wanted, count = next(rest, ""), count + 1
                if count > max(best, 1):
                    best, first = count, place
    assert find_options([text]) == [(best, first)]
