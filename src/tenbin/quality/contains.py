"""What must be in the answer is there, and what may not be is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tenbin.quality.identity import identity
from tenbin.quality.normal import normal
from tenbin.quality.thoughts import without_thoughts

READING = 5
"""Counts up with every change of a verdict (`identity`)."""


class Contains:
    """1 where the answer holds `texts` (by default the reference) and none of `forbidden`, all in normal form.

    A text of signs alone ("!", an emoji), of which the normal form leaves nothing, is looked for as it is.
    `any` is content with one of the texts. `whole_words`: a text that begins or ends with a letter or digit of an
    alphabet must stand apart there, so that "4" is not found in "42"; Chinese and Japanese have no such ends.
    """

    def __init__(
        self,
        texts: Sequence[str] = (),
        forbidden: Sequence[str] = (),
        any: bool = False,
        whole_words: bool = True,
    ) -> None:
        settings = {"texts": [*texts], "forbidden": [*forbidden], "any": any, "as_parts": not whole_words}
        self.name = identity("contains", {key: value for key, value in settings.items() if value}, READING)
        self.texts = tuple(texts)
        self.forbidden = tuple(forbidden)
        self.any = any
        self.whole_words = whole_words

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None where neither texts, forbidden ones nor a reference say what to look for."""
        wanted = self.texts or (() if reference is None or self.forbidden else (reference,))
        if not wanted and not self.forbidden:
            return None
        said = normal(answer)
        if any(self._is_in(text, said, answer) for text in self.forbidden):
            return 0.0
        found = [self._is_in(text, said, answer) for text in wanted]
        return float(any(found) if self.any and found else all(found))

    def _is_in(self, text: str, said: str, answer: str) -> bool:
        looked_for = normal(text)
        if not looked_for:
            return text.strip() in without_thoughts(answer)
        if not self.whole_words:
            return looked_for in said
        before = r"(?<![^\W_\u3040-\u9fff])" if _is_alphabetic(looked_for[0]) else ""
        after = r"(?![^\W_\u3040-\u9fff])" if _is_alphabetic(looked_for[-1]) else ""
        return re.search(f"{before}{re.escape(looked_for)}{after}", said) is not None


def _is_alphabetic(character: str) -> bool:
    return character.isalnum() and not "\u3040" <= character <= "\u9fff"
