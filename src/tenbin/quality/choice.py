"""Which of the options an answer picks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tenbin.quality.final_answer import final_answer
from tenbin.quality.identity import identity
from tenbin.quality.normal import normal
from tenbin.quality.plain import plain

LETTERS = tuple("ABCDEFGHIJ")
READING = 5
"""Counts up with every change of a verdict (`identity`)."""
_MARKUP = " \t\n*_`\"'$"
_WORD_AFTER = re.compile(r"\s+[a-z]|'(?:m|d|ve|ll)\b")
"""What makes an "A" an article, and an "I" a pronoun."""
_KATAKANA_OR_KANJI = "\u30a0-\u30ff\u4e00-\u9fff"
"""What stands inside words; hiragana behind a label is a particle or a verb."""
_PICKING = (
    r"(?:\b(?:correct|right|best)\s+(?:option|choice|one)\s+(?:is|would be|:)"
    r"|(?<!not )(?<!n't )\b(?:choose|pick|select|go with))"
    r"[\s:*_`\"'(\[]{1,5}(?:option\s+)?"
)
_PICKED = (
    r"[)\]*_`\"']{0,4}(?:\s+(?:is|would be)\s+(?:the\s+)?(?:correct|right|best)\b"
    r"|(?:は|が)(?:最も|一番)?(?:正解|正答|正し|適切)(?!では|でな|くな|いとは))"
)
"""What stands in front of the option that an answer calls the right one, and what behind it."""


class Choice:
    """1 where the answer picks the option that the reference names ("The answer is (C)", "答えはC", "C").

    Looked for in this order: what the answer marks as its result, an answer that begins with a label or is one, a line
    that is one, the last label that it calls right ("B is correct", "I choose B"), the last one in brackets, the text
    of one option that the question lists, the last bare label.
    """

    def __init__(self, choices: Sequence[str] = LETTERS) -> None:
        self.choices = tuple(plain(choice).strip() for choice in choices)
        self.name = identity("choice", {} if self.choices == LETTERS else {"choices": list(self.choices)}, READING)
        labels = "|".join(re.escape(label) for label in sorted(self.choices, key=len, reverse=True))
        edge = "A-Za-z0-9" if "".join(self.choices).isascii() else f"A-Za-z0-9{_KATAKANA_OR_KANJI}"
        word = rf"(?<![{edge}])(?<!\b[Nn][Oo][Tt] )(?:{labels})(?![{edge}])"
        # A letter alone may be an article in lower case; a label of several letters is one in any.
        case = re.NOFLAG if any(len(label) == 1 for label in self.choices) else re.IGNORECASE
        self._label = re.compile(word, case)
        self._any_case = re.compile(word, re.IGNORECASE)
        self._bracketed = re.compile(rf"[(\[]\s*({labels})\s*[)\]]", re.IGNORECASE)
        self._leading = re.compile(
            rf"\W*?[(\[]?((?i:{labels})(?=[)\]]|[.:]\s)|{labels})"
            r"(?:[)\].:,](?!\s+(?:is|can|does)(?:n't|not)?\b)|\s*\n|$)",
            case,
        )
        self._called_right = re.compile(rf"(?i:{_PICKING})({word})|({word})(?i:{_PICKED})", case)
        self._listed = re.compile(rf"^[^\w\n]{{0,8}}({labels})[^\S\n]{{0,8}}[).:\]、](.+)$", re.M | re.I)

    def score(self, query: str, answer: str, reference: str | None) -> float | None:
        """0 or 1; 0 for an answer that picks none, None where the reference names none of the choices."""
        if reference is None:
            return None
        options = self._options(query)
        wanted = self.pick(reference, options)
        return None if wanted is None else float(self.pick(answer, options) == wanted)

    def pick(self, answer: str, options: Mapping[str, str]) -> str | None:
        """The label that an answer picks; `options` are the normal texts of the options by label."""
        text = plain(answer).strip(_MARKUP)
        marked = final_answer(text)
        if marked is not None:
            picked = self._in_result(marked) or self._by_text(marked, options)
            if picked is not None:
                return picked
        leading = self._leading.match(text)
        if leading is not None:
            return self._canonical(leading[1])
        alone = [line.strip(_MARKUP + "()[].。:") for line in text.splitlines()]
        lines = [line for line in alone if self._any_case.fullmatch(line)]
        called_right = [before or behind for before, behind in self._called_right.findall(text)]
        bracketed = self._bracketed.findall(text)
        if lines or called_right or bracketed:
            return self._canonical((lines or called_right or bracketed)[-1])
        return self._by_text(text, options) or next(iter(self._bare(text)[::-1]), None)

    def _in_result(self, marked: str) -> str | None:
        """The label in what an answer marks as its result; an article or a pronoun ("a dog", "I think") is none."""
        bare = marked.strip(_MARKUP + "()[].。:,")
        if self._any_case.fullmatch(bare):
            return self._canonical(bare)
        bracketed = self._bracketed.search(marked)
        if bracketed is not None:
            return self._canonical(bracketed[1])
        return next(iter(self._bare(marked)), None)

    def _bare(self, text: str) -> list[str]:
        """The labels that stand in a text as words."""
        return [
            self._canonical(found[0])
            for found in self._label.finditer(text)
            if found[0] not in ("A", "I") or _WORD_AFTER.match(text, found.end()) is None
        ]

    def _by_text(self, text: str, options: Mapping[str, str]) -> str | None:
        said = f" {normal(text)} "
        found = [label for label, option in options.items() if f" {option} " in said or said.strip() == option]
        longest = [label for label in found if not any(_is_part(options[label], options[other]) for other in found)]
        return longest[0] if len(longest) == 1 else None

    def _options(self, query: str) -> dict[str, str]:
        """The options that the question lists, a line each, in normal form by label."""
        found = {self._canonical(label): normal(option) for label, option in self._listed.findall(plain(query))}
        return {label: option for label, option in found.items() if option}

    def _canonical(self, label: str) -> str:
        return next((choice for choice in self.choices if choice.casefold() == label.casefold()), label)


def _is_part(option: str, other: str) -> bool:
    return option != other and option in other
